// The encoder for one instruction set. The including file defines LANES (floats of a register), TILE_ROWS (rows
// of a register tile, whose columns are two registers wide), MULTIPLY_ADD and PATH_NAME.
//
// BERT as of Devlin et al. 2019 (arXiv:1810.04805), post-norm, with exact GELU; mean pooling as of Reimers and
// Gurevych 2019 (arXiv:1908.10084). One thread runs a whole sequence: no padding and no barriers.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "Encoder.h"

#define PANEL (2 * LANES)
// Rows that go through the feed-forward layer together: their activations stay in the L2 cache.
#define BLOCK_ROWS (TILE_ROWS * (96 / TILE_ROWS))
// Rows of the wide activations lie one cache line further apart than a power of two would put them.
#define ROW_PADDING 16

typedef float vector __attribute__((ext_vector_type(LANES)));
typedef int32_t integers __attribute__((ext_vector_type(LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vector load(const void *p) {
  vector v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float *p, vector v) { memcpy(p, &v, sizeof v); }
INLINE vector splat(float x) { return (vector)(x); }
INLINE vector larger(vector a, vector b) { return a > b ? a : b; }

INLINE float sum_of(vector v) {
  float s[LANES];
  memcpy(s, &v, sizeof v);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) s[i] += s[i + width];
  return s[0];
}
INLINE float largest_of(vector v) {
  float s[LANES];
  memcpy(s, &v, sizeof v);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) s[i] = s[i] > s[i + width] ? s[i] : s[i + width];
  return s[0];
}

// e^x for x <= 0, relative error below 2e-7: x = n ln 2 + r, the Taylor series of e^r to r^6, times 2^n. Adding
// 1.5 * 2^23 rounds to an integer that then sits in the low bits, from where a shift takes it to the exponent.
INLINE vector exponential(vector x) {
  x = larger(x, splat(-87.0f));
  vector shifted = MULTIPLY_ADD(x, splat(1.44269504f), splat(12582912.0f));
  vector n = shifted - splat(12582912.0f);
  vector r = MULTIPLY_ADD(n, splat(-0.693145752f), x);
  r = MULTIPLY_ADD(n, splat(-1.42860677e-6f), r);
  vector p = splat(1.0f / 720);
  p = MULTIPLY_ADD(p, r, splat(1.0f / 120));
  p = MULTIPLY_ADD(p, r, splat(1.0f / 24));
  p = MULTIPLY_ADD(p, r, splat(1.0f / 6));
  p = MULTIPLY_ADD(p, r, splat(0.5f));
  p = MULTIPLY_ADD(p, r, splat(1.0f));
  p = MULTIPLY_ADD(p, r, splat(1.0f));
  integers bits, exponent;
  memcpy(&bits, &p, sizeof p);
  memcpy(&exponent, &shifted, sizeof shifted);
  bits += exponent << 23;
  memcpy(&p, &bits, sizeof p);
  return p;
}

// x/2 (1 + erf(x / sqrt 2)), erf by Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7).
INLINE vector gelu(vector x) {
  vector magnitude = larger(x, -x);
  vector z = magnitude * splat(0.707106781f);
  vector t = splat(1.0f) / MULTIPLY_ADD(z, splat(0.3275911f), splat(1.0f));
  vector p = splat(1.061405429f);
  p = MULTIPLY_ADD(p, t, splat(-1.453152027f));
  p = MULTIPLY_ADD(p, t, splat(1.421413741f));
  p = MULTIPLY_ADD(p, t, splat(-0.284496736f));
  p = MULTIPLY_ADD(p, t, splat(0.254829592f));
  vector erf = splat(1.0f) - p * t * exponential(-z * z);
  return splat(0.5f) * MULTIPLY_ADD(magnitude, erf, x);
}

typedef enum { PLAIN, GELU, RESIDUAL, SCALED } epilogue;

typedef struct {
  const float *a;  // rows x inner, `a_stride` floats apart
  size_t a_stride;
  int rows, inner;
  const float *panels;
  int columns;  // a multiple of PANEL
  float *c;
  size_t c_stride;
  epilogue epilogue;
  const float *bias;      // columns, or NULL
  const float *residual;  // like c (RESIDUAL)
  const float *scale;     // one factor a row (SCALED)
} product;

// `rows` is a constant wherever this is inlined, so that `sum` lives in registers.
INLINE void tile(const product *m, const int rows, int row, int column, const float *panel) {
  vector sum[TILE_ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    sum[i][0] = m->bias ? load(m->bias + column) : splat(0);
    sum[i][1] = m->bias ? load(m->bias + column + LANES) : splat(0);
  }
  const float *a = m->a + (size_t)row * m->a_stride;
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
  for (int i = 0; i < rows; i++) {
    float *c = m->c + (size_t)(row + i) * m->c_stride + column;
    vector left = sum[i][0], right = sum[i][1];
    switch (m->epilogue) {
      case PLAIN:
        break;
      case GELU:
        left = gelu(left);
        right = gelu(right);
        break;
      case RESIDUAL: {
        const float *residual = m->residual + (size_t)(row + i) * m->c_stride + column;
        left += load(residual);
        right += load(residual + LANES);
        break;
      }
      case SCALED:
        left *= splat(m->scale[row + i]);
        right *= splat(m->scale[row + i]);
        break;
    }
    store(c, left);
    store(c + LANES, right);
  }
}

#define TILE_OF(n) \
  static __attribute__((noinline)) void tile_of_##n(const product *m, int row, int column, const float *panel) { \
    tile(m, n, row, column, panel); \
  }
TILE_OF(1)
TILE_OF(2)
TILE_OF(3)
TILE_OF(4)
TILE_OF(5)
TILE_OF(6)
#if TILE_ROWS > 6
TILE_OF(7)
TILE_OF(8)
TILE_OF(9)
TILE_OF(10)
TILE_OF(11)
TILE_OF(12)
#endif

typedef void (*tile_function)(const product *, int, int, const float *);
static const tile_function tile_functions[TILE_ROWS + 1] = {
    NULL,      tile_of_1, tile_of_2, tile_of_3,  tile_of_4,  tile_of_5,  tile_of_6,
#if TILE_ROWS > 6
    tile_of_7, tile_of_8, tile_of_9, tile_of_10, tile_of_11, tile_of_12,
#endif
};

static void multiply(const product *m) {
  // Even heights: thirteen rows are seven and six, not twelve and one.
  const int tiles = (m->rows + TILE_ROWS - 1) / TILE_ROWS;
  const float *panel = m->panels;
  for (int column = 0; column < m->columns; column += PANEL) {
    for (int i = 0; i < tiles; i++) {
      const int first = m->rows * i / tiles, end = m->rows * (i + 1) / tiles;
      tile_functions[end - first](m, first, column, panel);
    }
    panel += (size_t)m->inner * PANEL;
  }
}

static void normalise(float *rows, int count, int width, const float *weight, const float *bias, float epsilon) {
  for (int i = 0; i < count; i++, rows += width) {
    vector total = splat(0);
    for (int j = 0; j < width; j += LANES) total += load(rows + j);
    const vector mean = splat(sum_of(total) / (float)width);
    vector squares = splat(0);
    for (int j = 0; j < width; j += LANES) {
      vector d = load(rows + j) - mean;
      squares = MULTIPLY_ADD(d, d, squares);
    }
    const vector factor = splat(1.0f / sqrtf(sum_of(squares) / (float)width + epsilon));
    for (int j = 0; j < width; j += LANES) {
      vector v = (load(rows + j) - mean) * factor;
      store(rows + j, MULTIPLY_ADD(v, load(weight + j), load(bias + j)));
    }
  }
}

// Attention weights of `rows` rows before division by their sum, whose reciprocal goes to `inverse`.
static void soften(float *scores, size_t stride, int rows, int tokens, float scale, float *inverse) {
  for (int i = 0; i < rows; i++, scores += stride) {
    for (int j = tokens; j < (int)stride; j++) scores[j] = -1e30f;
    vector top = load(scores);
    for (int j = LANES; j < (int)stride; j += LANES) top = larger(top, load(scores + j));
    const vector highest = splat(largest_of(top));
    vector total = splat(0);
    for (int j = 0; j < (int)stride; j += LANES) {
      vector e = exponential((load(scores + j) - highest) * splat(scale));
      total += e;
      store(scores + j, e);
    }
    inverse[i] = 1.0f / sum_of(total);
  }
}

typedef struct {
  float *states, *qkv, *context, *keys, *values, *scores, *wide;
} workspace;

static int rounded_up(int n, int step) { return (n + step - 1) / step * step; }

static size_t lay_out(const qk_encoder_shape *s, int tokens, float *base, workspace *w) {
  const size_t n = (size_t)tokens, hidden = (size_t)s->hidden;
  const size_t head = hidden / (size_t)s->heads, columns = (size_t)rounded_up(tokens, PANEL);
  size_t used = 0;
#define TAKE(field, floats) \
  do { \
    w->field = base + used; \
    used += ((floats) + 15) / 16 * 16; \
  } while (0)
  TAKE(states, n * hidden);
  TAKE(qkv, n * (3 * hidden + ROW_PADDING));
  TAKE(context, n * hidden);
  TAKE(keys, columns * head);
  TAKE(values, n * head);
  TAKE(scores, TILE_ROWS * columns);
  TAKE(wide, BLOCK_ROWS * ((size_t)s->intermediate + ROW_PADDING));
#undef TAKE
  return used;
}

static size_t scratch_size(const qk_encoder_shape *shape, int tokens) {
  static float nothing;
  workspace w;
  return lay_out(shape, tokens, &nothing, &w) * sizeof(float);
}

static void attend(const qk_encoder_shape *s, int tokens, const workspace *w) {
  const int hidden = s->hidden, head = hidden / s->heads, columns = rounded_up(tokens, PANEL);
  const size_t stride = 3 * (size_t)hidden + ROW_PADDING;
  const float scale = 1.0f / sqrtf((float)head);
  float inverse[TILE_ROWS];
  for (int h = 0; h < s->heads; h++) {
    const float *query = w->qkv + h * head, *key = query + hidden, *value = key + hidden;
    // Keys transposed and values as they are both become panels, so that the one tile kernel does it all.
    memset(w->keys + (size_t)(columns - PANEL) * (size_t)head, 0, sizeof(float) * PANEL * (size_t)head);
    for (int j = 0; j < tokens; j++) {
      float *column = w->keys + (size_t)(j / PANEL) * PANEL * (size_t)head + j % PANEL;
      for (int k = 0; k < head; k++) column[(size_t)k * PANEL] = key[(size_t)j * stride + (size_t)k];
      for (int k = 0; k < head; k += LANES)
        store(
            w->values + ((size_t)(k / PANEL) * (size_t)tokens + (size_t)j) * PANEL + k % PANEL,
            load(value + (size_t)j * stride + k));
    }
    const int tiles = (tokens + TILE_ROWS - 1) / TILE_ROWS;
    for (int i = 0; i < tiles; i++) {
      const int first = tokens * i / tiles, rows = tokens * (i + 1) / tiles - first;
      multiply(&(product){
          .a = query + (size_t)first * stride, .a_stride = stride, .rows = rows, .inner = head,
          .panels = w->keys, .columns = columns, .c = w->scores, .c_stride = (size_t)columns});
      soften(w->scores, (size_t)columns, rows, tokens, scale, inverse);
      multiply(&(product){
          .a = w->scores, .a_stride = (size_t)columns, .rows = rows, .inner = tokens,
          .panels = w->values, .columns = head, .c = w->context + (size_t)first * (size_t)hidden + h * head,
          .c_stride = (size_t)hidden, .epilogue = SCALED, .scale = inverse});
    }
  }
}

static void run_layer(const qk_encoder *encoder, const packed_layer *layer, int tokens, const workspace *w) {
  const qk_encoder_shape *s = &encoder->shape;
  const size_t hidden = (size_t)s->hidden, wide = (size_t)s->intermediate + ROW_PADDING;
  multiply(&(product){
      .a = w->states, .a_stride = hidden, .rows = tokens, .inner = s->hidden, .panels = layer->qkv_panels,
      .columns = 3 * s->hidden, .c = w->qkv, .c_stride = 3 * hidden + ROW_PADDING, .bias = layer->qkv_bias});
  attend(s, tokens, w);
  multiply(&(product){
      .a = w->context, .a_stride = hidden, .rows = tokens, .inner = s->hidden, .panels = layer->attention_panels,
      .columns = s->hidden, .c = w->states, .c_stride = hidden, .epilogue = RESIDUAL,
      .bias = layer->attention_bias, .residual = w->states});
  normalise(
      w->states, tokens, s->hidden, layer->attention_norm_weight, layer->attention_norm_bias,
      s->layer_norm_epsilon);
  const int blocks = (tokens + BLOCK_ROWS - 1) / BLOCK_ROWS;
  for (int i = 0; i < blocks; i++) {
    const int first = tokens * i / blocks, rows = tokens * (i + 1) / blocks - first;
    float *states = w->states + (size_t)first * hidden;
    multiply(&(product){
        .a = states, .a_stride = hidden, .rows = rows, .inner = s->hidden, .panels = layer->intermediate_panels,
        .columns = s->intermediate, .c = w->wide, .c_stride = wide, .epilogue = GELU,
        .bias = layer->intermediate_bias});
    multiply(&(product){
        .a = w->wide, .a_stride = wide, .rows = rows, .inner = s->intermediate, .panels = layer->output_panels,
        .columns = s->hidden, .c = states, .c_stride = hidden, .epilogue = RESIDUAL, .bias = layer->output_bias,
        .residual = states});
    normalise(states, rows, s->hidden, layer->output_norm_weight, layer->output_norm_bias, s->layer_norm_epsilon);
  }
}

static void embed(const qk_encoder *encoder, const int32_t *ids, int tokens, float *scratch, float *mean) {
  const qk_encoder_shape *s = &encoder->shape;
  const size_t hidden = (size_t)s->hidden, row_bytes = hidden * sizeof(float);
  workspace w;
  lay_out(s, tokens, scratch, &w);
  for (int i = 0; i < tokens; i++) {
    const char *word = encoder->word_embeddings + (size_t)ids[i] * row_bytes;
    const char *position = encoder->position_embeddings + (size_t)i * row_bytes;
    for (size_t j = 0; j < hidden; j += LANES) {
      const size_t byte = j * sizeof(float);
      store(
          w.states + (size_t)i * hidden + j,
          load(word + byte) + load(position + byte) + load(encoder->type_embedding + byte));
    }
  }
  normalise(
      w.states, tokens, s->hidden, encoder->embedding_norm_weight, encoder->embedding_norm_bias,
      s->layer_norm_epsilon);
  for (int l = 0; l < s->layers; l++) run_layer(encoder, &encoder->layers[l], tokens, &w);
  const vector share = splat(1.0f / (float)tokens);
  for (size_t j = 0; j < hidden; j += LANES) {
    vector total = splat(0);
    for (int i = 0; i < tokens; i++) total += load(w.states + (size_t)i * hidden + j);
    store(mean + j, total * share);
  }
}

const encoder_path PATH_NAME = {.panel = PANEL, .scratch_size = scratch_size, .embed = embed};
