// Matrix products of rows with weights in panels, in four kinds of numbers. Included by EncoderPath.inc.h.

typedef enum { PLAIN, GELU, RESIDUAL, SCALED } epilogue;
typedef enum { FLOATS, BRAINS, BYTES, WORDS } numbers;

typedef struct {
  numbers numbers;
  const void *a;    // rows x inner: float, brain, quantum or int16_t
  size_t a_stride;  // in elements
  int rows, inner;  // inner is a multiple of the numbers' group
  const void *panels;
  int columns;  // a multiple of PANEL
  float *c;
  size_t c_stride;
  epilogue epilogue;
  const float *bias;      // columns, or NULL
  const float *residual;  // like c (RESIDUAL)
  const float *scale;     // one factor a row (SCALED)
  // BYTES: an activation is least + step * quantum by row, a weight is column_scale * byte; column_sum adds the bytes.
  // WORDS: the sum is multiplied with column_scale.
  const float *step, *least, *column_scale, *column_sum;
} product;

INLINE void finish(const product *m, int row, int column, vector left, vector right) {
  float *c = m->c + (size_t)row * m->c_stride + column;
  switch (m->epilogue) {
    case PLAIN:
      break;
    case GELU:
      left = gelu(left);
      right = gelu(right);
      break;
    case RESIDUAL: {
      const float *residual = m->residual + (size_t)row * m->c_stride + column;
      left += load(residual);
      right += load(residual + LANES);
      break;
    }
    case SCALED:
      left *= splat(m->scale[row]);
      right *= splat(m->scale[row]);
      break;
  }
  store(c, left);
  store(c + LANES, right);
}

// In each tile `rows` is a constant wherever it is inlined, so that `sum` lives in registers.

INLINE void start(const product *m, const int rows, int column, vector sum[TILE_ROWS][2]) {
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    sum[i][0] = m->bias ? load(m->bias + column) : splat(0);
    sum[i][1] = m->bias ? load(m->bias + column + LANES) : splat(0);
  }
}

INLINE void tile_FLOATS(const product *m, const int rows, int row, int column, const void *panels) {
  vector sum[TILE_ROWS][2];
  start(m, rows, column, sum);
  const float *panel = panels;
  const float *a = (const float *)m->a + (size_t)row * m->a_stride;
  const size_t stride = m->a_stride;
  const int inner = m->inner;
  // Unrolled, this loop no longer fits in the registers and spills.
#pragma clang loop unroll(disable)
  for (int k = 0; k < inner; k++) {
    vector left = load(panel), right = load(panel + LANES);
    panel += PANEL;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      vector factor = splat(a[(size_t)i * stride + (size_t)k]);
      sum[i][0] = MULTIPLY_ADD(factor, left, sum[i][0]);
      sum[i][1] = MULTIPLY_ADD(factor, right, sum[i][1]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) finish(m, row + i, column, sum[i][0], sum[i][1]);
}

INLINE integers group_at(const void *p) {
  int32_t group;
  memcpy(&group, p, sizeof group);
  return (integers)(group);
}

#if NATIVE_BF16
INLINE void tile_BRAINS(const product *m, const int rows, int row, int column, const void *panels) {
  vector sum[TILE_ROWS][2];
  start(m, rows, column, sum);
  const int32_t *panel = panels;
  const brain *a = (const brain *)m->a + (size_t)row * m->a_stride;
  const size_t stride = m->a_stride;
  const int inner = m->inner;
#pragma clang loop unroll(disable)
  for (int k = 0; k < inner; k += BRAIN_GROUP) {
    __m512bh left = (__m512bh)load(panel), right = (__m512bh)load(panel + LANES);
    panel += PANEL;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      __m512bh pair = (__m512bh)group_at(a + (size_t)i * stride + (size_t)k);
      sum[i][0] = (vector)_mm512_dpbf16_ps((__m512)sum[i][0], pair, left);
      sum[i][1] = (vector)_mm512_dpbf16_ps((__m512)sum[i][1], pair, right);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) finish(m, row + i, column, sum[i][0], sum[i][1]);
}
#endif

INLINE vector dequantised(const product *m, int row, int column, integers sum) {
  vector v = fused(
      __builtin_convertvector(sum, vector), splat(m->step[row]), splat(m->least[row]) * load(m->column_sum + column));
  return fused(v, load(m->column_scale + column), load(m->bias + column));
}

INLINE void tile_BYTES(const product *m, const int rows, int row, int column, const void *panels) {
  integers sum[TILE_ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (integers)(0);
  const int8_t *panel = panels;
  const quantum *a = (const quantum *)m->a + (size_t)row * m->a_stride;
  const size_t stride = m->a_stride;
  const int inner = m->inner;
#pragma clang loop unroll(disable)
  for (int k = 0; k < inner; k += QUANTUM_GROUP) {
    // A question reads each panel once and waits for memory more than for sums: .61 ms with, .74 ms without this.
    __builtin_prefetch(panel + 8192);
    __builtin_prefetch(panel + 8192 + 64);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      integers group = group_at(a + (size_t)i * stride + (size_t)k);
      sum[i][0] = add_products(sum[i][0], group, panel);
      sum[i][1] = add_products(sum[i][1], group, panel + LANES * QUANTUM_GROUP);
    }
    panel += PANEL * QUANTUM_GROUP;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
    finish(m, row + i, column, dequantised(m, row + i, column, sum[i][0]),
        dequantised(m, row + i, column + LANES, sum[i][1]));
}

INLINE void tile_WORDS(const product *m, const int rows, int row, int column, const void *panels) {
  integers sum[TILE_ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (integers)(0);
  const int32_t *panel = panels;
  const int16_t *a = (const int16_t *)m->a + (size_t)row * m->a_stride;
  const size_t stride = m->a_stride;
  const int inner = m->inner;
#pragma clang loop unroll(disable)
  for (int k = 0; k < inner; k += 2) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      integers pair = group_at(a + (size_t)i * stride + (size_t)k);
      sum[i][0] = add_word_products(sum[i][0], pair, panel);
      sum[i][1] = add_word_products(sum[i][1], pair, panel + LANES);
    }
    panel += PANEL;
  }
  const vector left = load(m->column_scale + column), right = load(m->column_scale + column + LANES);
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
    finish(m, row + i, column, __builtin_convertvector(sum[i][0], vector) * left,
        __builtin_convertvector(sum[i][1], vector) * right);
}

typedef void (*tile_function)(const product *, int, int, const void *);

#define TILE_OF(kind, n) \
  static __attribute__((noinline)) void tile_of_##kind##_##n( \
      const product *m, int row, int column, const void *panel) { \
    tile_##kind(m, n, row, column, panel); \
  }
#define SIX_TILES_OF(kind, a, b, c, d, e, f) \
  TILE_OF(kind, a) TILE_OF(kind, b) TILE_OF(kind, c) TILE_OF(kind, d) TILE_OF(kind, e) TILE_OF(kind, f)
#define SIX_NAMES_OF(kind, a, b, c, d, e, f) \
  tile_of_##kind##_##a, tile_of_##kind##_##b, tile_of_##kind##_##c, tile_of_##kind##_##d, tile_of_##kind##_##e, \
      tile_of_##kind##_##f,
#if TILE_ROWS > 6
#define TILES_OF(kind) SIX_TILES_OF(kind, 1, 2, 3, 4, 5, 6) SIX_TILES_OF(kind, 7, 8, 9, 10, 11, 12)
#define NAMES_OF(kind) SIX_NAMES_OF(kind, 1, 2, 3, 4, 5, 6) SIX_NAMES_OF(kind, 7, 8, 9, 10, 11, 12)
#else
#define TILES_OF(kind) SIX_TILES_OF(kind, 1, 2, 3, 4, 5, 6)
#define NAMES_OF(kind) SIX_NAMES_OF(kind, 1, 2, 3, 4, 5, 6)
#endif

TILES_OF(FLOATS)
TILES_OF(BYTES)
TILES_OF(WORDS)
#if NATIVE_BF16
TILES_OF(BRAINS)
#endif

/// By the kind of numbers, then by height.
static const tile_function tile_functions[4][TILE_ROWS + 1] = {
    [FLOATS] = {NULL, NAMES_OF(FLOATS)},
    [BYTES] = {NULL, NAMES_OF(BYTES)},
    [WORDS] = {NULL, NAMES_OF(WORDS)},
#if NATIVE_BF16
    [BRAINS] = {NULL, NAMES_OF(BRAINS)},
#else
    [BRAINS] = {NULL, NAMES_OF(FLOATS)},
#endif
};

/// Bytes of the weights of one output and one input.
static size_t weight_size(numbers numbers) {
  switch (numbers) {
    case FLOATS:
      return sizeof(float);
    case BRAINS:
      return sizeof(brain);
    case BYTES:
      return sizeof(int8_t);
    case WORDS:
      return sizeof(int16_t);
  }
}

static void multiply(const product *m) {
  // Even heights: thirteen rows are seven and six, not twelve and one.
  const int tiles = (m->rows + TILE_ROWS - 1) / TILE_ROWS;
  const char *panel = m->panels;
  for (int column = 0; column < m->columns; column += PANEL) {
    for (int i = 0; i < tiles; i++) {
      const int first = m->rows * i / tiles, end = m->rows * (i + 1) / tiles;
      tile_functions[m->numbers][end - first](m, first, column, panel);
    }
    panel += (size_t)m->inner * PANEL * weight_size(m->numbers);
  }
}
