package words

// Greeting greets somebody.
func Greeting(name string) []string { return []string{"hello,", name} }
