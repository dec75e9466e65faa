package shared

// The name of this file has a quote.
const quoted = "a quote in a file name"
