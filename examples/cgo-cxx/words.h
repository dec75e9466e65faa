#ifdef __cplusplus
extern "C" {
#endif

/* sort_words returns the words of text in order; the caller frees it. */
char *sort_words(const char *text);

#ifdef __cplusplus
}
#endif
