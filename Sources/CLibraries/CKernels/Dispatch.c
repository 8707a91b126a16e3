#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

int qk_path_available(qk_path path) {
  switch (path) {
    case QK_PATH_AUTO:
    case QK_PATH_PLAIN:
      return 1;
#if defined(__x86_64__)
    // __builtin_cpu_supports also asks the operating system whether it saves the registers.
    case QK_PATH_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case QK_PATH_AVX512:
      return qk_path_available(QK_PATH_AVX2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
    case QK_PATH_AVX512_F:
      return qk_path_available(QK_PATH_AVX512);
    case QK_PATH_AVX512_VNNI:
      return qk_path_available(QK_PATH_AVX512) && __builtin_cpu_supports("avx512vnni");
    case QK_PATH_AVX512_BF16:
      return qk_path_available(QK_PATH_AVX512_VNNI) && __builtin_cpu_supports("avx512bf16");
#endif
    default:
      return 0;
  }
}

qk_path qk_path_resolved(qk_path path) {
  if (path == QK_PATH_AUTO) {
    const char *name = getenv("QUARRY_KERNELS");
    path = qk_path_available(QK_PATH_AVX512) ? QK_PATH_AVX512 : QK_PATH_AVX2;
    if (name && !strcmp(name, "plain")) path = QK_PATH_PLAIN;
    if (name && !strcmp(name, "avx2")) path = QK_PATH_AVX2;
    if (name && !strcmp(name, "avx512f")) path = QK_PATH_AVX512_F;
    if (name && !strcmp(name, "avx512vnni")) path = QK_PATH_AVX512_VNNI;
    if (name && !strcmp(name, "avx512bf16")) path = QK_PATH_AVX512_BF16;
  }
  return qk_path_available(path) ? path : QK_PATH_PLAIN;
}
