#pragma once
#ifdef __cplusplus
extern "C" {
#endif
int twice(int n);
int call(int n);
const char *engine_name(void);
#ifdef __cplusplus
}
#endif
