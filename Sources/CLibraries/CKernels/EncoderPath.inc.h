// The encoder for one instruction set. The including file defines LANES (floats of a register), TILE_ROWS (rows
// of a register tile, whose columns are two registers wide), MULTIPLY_ADD, VNNI, NATIVE_BF16 and PATH_NAME.
//
// BERT as of Devlin et al. 2019 (arXiv:1810.04805), post-norm, with exact GELU; mean pooling as of Reimers and
// Gurevych 2019 (arXiv:1908.10084). One thread runs a whole sequence: no padding and no barriers.
//
// A scheme says what the factors of products are: fp32 takes floats everywhere; bf16 rounds both factors to
// bfloat16; int8 takes each output's weights as signed bytes and each token's activations as unsigned ones (scale
// and offset by token), and attention as 16-bit words. Sums, norms, softmax and GELU are floats throughout.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "Encoder.h"

#define PANEL (2 * LANES)
// Rows that go through the feed-forward layer together: their activations stay in the L2 cache.
#define BLOCK_ROWS (TILE_ROWS * (96 / TILE_ROWS))
// Rows of the wide activations lie one cache line further apart than a power of two would put them.
// Splits of int8 fit in between.
#define ROW_PADDING 16
_Static_assert(SPLIT_INPUTS <= ROW_PADDING, "splits fit");

#include "EncoderVector.inc.h"
#include "EncoderProducts.inc.h"
#include "EncoderPacking.inc.h"

static void normalise(float *rows, int count, int width, const float *weight, const float *bias, float epsilon) {
  for (int i = 0; i < count; i++, rows += width) {
    vector total[PARTS] = {0}, squares[PARTS] = {0};
    for (int j = 0; j < width; j += 16)
      for (int p = 0; p < PARTS; p++) total[p] += load(rows + j + p * LANES);
    const vector mean = splat(sum_of(total) / (float)width);
    for (int j = 0; j < width; j += 16)
      for (int p = 0; p < PARTS; p++) {
        vector d = load(rows + j + p * LANES) - mean;
        squares[p] = fused(d, d, squares[p]);
      }
    const vector factor = splat(1.0f / sqrtf(sum_of(squares) / (float)width + epsilon));
    for (int j = 0; j < width; j += LANES) {
      vector v = (load(rows + j) - mean) * factor;
      store(rows + j, fused(v, load(weight + j), load(bias + j)));
    }
  }
}

typedef struct {
  float *states, *qkv, *context, *scores, *wide;
  void *keys, *values;  // panels of one head
  // Rounded or quantised rows that a product reads, and each row's least value and step (int8).
  void *operand;
  float *least, *step, *row;
  // One head's queries and one tile's attention weights: brain (bf16) or int16_t (int8), whose factors are by token
  // for queries and keys, and by column for values.
  void *queries, *weights;
  float *query_step, *key_step, *value_step;
} workspace;

static int rounded_up(int n, int step) { return (n + step - 1) / step * step; }

static size_t lay_out(const qk_encoder_shape *s, qk_scheme scheme, int tokens, char *base, workspace *w) {
  const size_t n = (size_t)tokens, hidden = (size_t)s->hidden, wide = (size_t)s->intermediate + ROW_PADDING;
  const size_t head = hidden / (size_t)s->heads, columns = (size_t)rounded_up(tokens, PANEL);
  const int converts = scheme != QK_SCHEME_FP32;
  const size_t factor = scheme == QK_SCHEME_INT8 ? sizeof(quantum) : sizeof(brain);
  const size_t narrow = n * (hidden + ROW_PADDING);
  const size_t operands = narrow > BLOCK_ROWS * wide ? narrow : BLOCK_ROWS * wide;
  size_t used = 0;
#define TAKE(field, bytes) \
  do { \
    w->field = (void *)(base + used); \
    used += ((bytes) + 63) / 64 * 64; \
  } while (0)
  TAKE(states, n * hidden * sizeof(float));
  TAKE(qkv, n * (3 * hidden + ROW_PADDING) * sizeof(float));
  TAKE(context, n * hidden * sizeof(float));
  TAKE(keys, columns * head * sizeof(float));
  TAKE(values, (n + 1) * head * sizeof(float));
  TAKE(scores, TILE_ROWS * columns * sizeof(float));
  TAKE(wide, BLOCK_ROWS * wide * sizeof(float));
  TAKE(operand, converts ? operands * factor : 0);
  TAKE(least, converts ? (n + BLOCK_ROWS) * sizeof(float) : 0);
  TAKE(step, converts ? (n + BLOCK_ROWS) * sizeof(float) : 0);
  TAKE(row, converts ? hidden * sizeof(float) : 0);
  TAKE(queries, converts ? n * head * sizeof(brain) : 0);
  TAKE(weights, converts ? TILE_ROWS * columns * sizeof(brain) : 0);
  TAKE(query_step, converts ? n * sizeof(float) : 0);
  TAKE(key_step, converts ? columns * sizeof(float) : 0);
  TAKE(value_step, converts ? head * sizeof(float) : 0);
#undef TAKE
  return used;
}

static size_t scratch_size(const qk_encoder_shape *shape, qk_scheme scheme, int tokens) {
  static char nothing;
  workspace w;
  return lay_out(shape, scheme, tokens, &nothing, &w);
}

/// A row as bytes, each of which stands for least + step * byte.
static void quantise_row(const float *row, int width, quantum *target, float *least, float *step) {
  vector bottom = load(row), top = bottom;
  for (int j = LANES; j < width; j += LANES) {
    vector v = load(row + j);
    bottom = smaller(bottom, v);
    top = larger(top, v);
  }
  *least = -largest_of(-bottom);
  const float range = largest_of(top) - *least;
  *step = range / 255.0f;
  const vector shift = splat(*least), factor = splat(range > 0 ? 255.0f / range : 0);
  for (int j = 0; j < width; j += LANES) store_quanta(target + j, (load(row + j) - shift) * factor);
}

/// The same with the components `splits` in SPLIT_PARTS bytes each, whose sum is rounded once.
static void quantise_row_split(
    const float *row, int width, const int32_t *splits, float *copy, quantum *target, float *least, float *step) {
  memcpy(copy, row, (size_t)width * sizeof(float));
  for (int i = 0; i < SPLITS; i++) copy[splits[i]] *= 1.0f / SPLIT_PARTS;
  quantise_row(copy, width, target, least, step);
  const float shift = SPLIT_PARTS * *least, factor = *step > 0 ? 1.0f / *step : 0;
  for (int i = 0; i < SPLITS; i++) {
    const float shifted = (row[splits[i]] - shift) * factor + ROUNDER;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    const int whole = bits & 0x7ff;  // 0 ... 255 SPLIT_PARTS
    target[splits[i]] = (quantum)(whole / SPLIT_PARTS);
    for (int part = 1; part < SPLIT_PARTS; part++)
      target[width + i * (SPLIT_PARTS - 1) + part - 1] = (quantum)((whole + part) / SPLIT_PARTS);
  }
}

/// Makes `m` multiply `rows` rows of `width` floats in the scheme's numbers, converting them where that is needed.
static void take_rows(
    product *m, const workspace *w, const float *rows, size_t stride, int count, int width, const int32_t *splits) {
  m->rows = count;
  m->inner = (int)packed_inputs(m->numbers, (size_t)width, splits);
  m->a = rows;
  m->a_stride = stride;
  if (m->numbers == FLOATS) return;
  m->a = w->operand;
  m->a_stride = (size_t)width + ROW_PADDING;
  m->least = w->least;
  m->step = w->step;
  for (int i = 0; i < count; i++, rows += stride) {
    const size_t place = (size_t)i * m->a_stride;
    if (m->numbers == BRAINS)
      for (int j = 0; j < width; j += LANES) store_brains((brain *)w->operand + place + j, load(rows + j));
    else if (splits)
      quantise_row_split(
          rows, width, splits, w->row, (quantum *)w->operand + place, &w->least[i], &w->step[i]);
    else
      quantise_row(rows, width, (quantum *)w->operand + place, &w->least[i], &w->step[i]);
  }
}

#include "EncoderAttention.inc.h"

/// The product with a layer's weights; rows are taken next.
static product by_weights(const qk_encoder *encoder, const packed_linear *weights, int columns) {
  return (product){
      .numbers = numbers_of(encoder->scheme), .panels = weights->panels, .columns = columns, .bias = weights->bias,
      .column_scale = weights->scale, .column_sum = weights->sum};
}

static void run_layer(const qk_encoder *encoder, const packed_layer *layer, int tokens, const workspace *w) {
  const qk_encoder_shape *s = &encoder->shape;
  const size_t hidden = (size_t)s->hidden, wide = (size_t)s->intermediate + ROW_PADDING;
  product qkv = by_weights(encoder, &layer->qkv, 3 * s->hidden);
  take_rows(&qkv, w, w->states, hidden, tokens, s->hidden, encoder->splits);
  qkv.c = w->qkv;
  qkv.c_stride = 3 * hidden + ROW_PADDING;
  multiply(&qkv);
  attend(s, encoder->scheme, tokens, w);
  product attention = by_weights(encoder, &layer->attention, s->hidden);
  take_rows(&attention, w, w->context, hidden, tokens, s->hidden, NULL);
  attention.epilogue = RESIDUAL;
  attention.residual = attention.c = w->states;
  attention.c_stride = hidden;
  multiply(&attention);
  normalise(
      w->states, tokens, s->hidden, layer->attention_norm_weight, layer->attention_norm_bias,
      s->layer_norm_epsilon);
  const int blocks = (tokens + BLOCK_ROWS - 1) / BLOCK_ROWS;
  for (int i = 0; i < blocks; i++) {
    const int first = tokens * i / blocks, rows = tokens * (i + 1) / blocks - first;
    float *states = w->states + (size_t)first * hidden;
    product intermediate = by_weights(encoder, &layer->intermediate, s->intermediate);
    take_rows(&intermediate, w, states, hidden, rows, s->hidden, encoder->splits);
    intermediate.epilogue = GELU;
    intermediate.c = w->wide;
    intermediate.c_stride = wide;
    multiply(&intermediate);
    product output = by_weights(encoder, &layer->output, s->hidden);
    take_rows(&output, w, w->wide, wide, rows, s->intermediate, NULL);
    output.epilogue = RESIDUAL;
    output.residual = output.c = states;
    output.c_stride = hidden;
    multiply(&output);
    normalise(states, rows, s->hidden, layer->output_norm_weight, layer->output_norm_bias, s->layer_norm_epsilon);
  }
}

static void embed(const qk_encoder *encoder, const int32_t *ids, int tokens, void *scratch, float *mean) {
  const qk_encoder_shape *s = &encoder->shape;
  const size_t hidden = (size_t)s->hidden, row_bytes = hidden * sizeof(float);
  workspace w;
  lay_out(s, encoder->scheme, tokens, scratch, &w);
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

const encoder_path PATH_NAME = {
    .weight_size = scheme_weight_size, .packing_scratch_size = packing_scratch_size, .pack = pack,
    .scratch_size = scratch_size, .embed = embed};
