package engine

// increment is in a file without C.
const increment = 2
