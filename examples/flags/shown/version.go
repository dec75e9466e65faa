package shown

const Version = "of the source"
