// Packing of the weights, and the threads that share a batch. The arithmetic is in EncoderPath.inc.h.

#include "Encoder.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const encoder_path *implementation(qk_path path) {
  switch (qk_path_resolved(path)) {
#if defined(__x86_64__)
    case QK_PATH_AVX512:
      // Intel's vdpbf16ps multiplies half as much in a second as two FMAs do (Sapphire Rapids, measured); AMD's twice.
      if (qk_path_available(QK_PATH_AVX512_BF16) && !__builtin_cpu_is("intel")) return &encoder_path_avx512_bf16;
      return qk_path_available(QK_PATH_AVX512_VNNI) ? &encoder_path_avx512_vnni : &encoder_path_avx512;
    case QK_PATH_AVX512_BF16:
      return &encoder_path_avx512_bf16;
    case QK_PATH_AVX512_VNNI:
      return &encoder_path_avx512_vnni;
    case QK_PATH_AVX512_F:
      return &encoder_path_avx512;
    case QK_PATH_AVX2:
      return &encoder_path_avx2;
#endif
    default:
      return &encoder_path_plain;
  }
}

static int runnable(const qk_encoder_shape *s) {
  // Bounds keep every size computed below far from overflow, whatever a config.json says.
  return s->layers > 0 && s->layers <= 128 && s->hidden > 0 && s->hidden <= 8192 && s->hidden % 32 == 0 &&
         s->heads > 0 && s->hidden % s->heads == 0 && (s->hidden / s->heads) % 32 == 0 && s->intermediate > 0 &&
         s->intermediate <= 65536 && s->intermediate % 32 == 0 && s->vocabulary > 0 && s->positions > 0 &&
         s->positions <= 65536 && s->layer_norm_epsilon >= 0;
}

// Storage is laid out by walking it twice, first to count it.

typedef struct {
  char *next;
} cursor;

static void *taken(cursor *c, size_t bytes) {
  void *place = c->next;
  c->next += (bytes + 63) / 64 * 64;
  return place;
}

/// Inputs with the columns that splits add.
static size_t split_inputs(const qk_encoder *encoder, size_t inputs) {
  return inputs + (encoder->scheme == QK_SCHEME_INT8 ? SPLIT_INPUTS : 0);
}

static packed_linear linear_at(cursor *c, size_t outputs, size_t inputs, size_t weight_size, int quantised) {
  packed_linear l = {0};
  l.panels = taken(c, outputs * inputs * weight_size);
  l.bias = taken(c, outputs * sizeof(float));
  l.scale = taken(c, quantised ? outputs * sizeof(float) : 0);
  l.sum = taken(c, quantised ? outputs * sizeof(float) : 0);
  return l;
}

static void lay_out(qk_encoder *encoder, cursor *c) {
  const size_t hidden = (size_t)encoder->shape.hidden, intermediate = (size_t)encoder->shape.intermediate;
  const size_t size = encoder->path->weight_size(encoder->scheme), row = hidden * sizeof(float);
  const int quantised = encoder->scheme == QK_SCHEME_INT8;
  encoder->embedding_norm_weight = taken(c, row);
  encoder->embedding_norm_bias = taken(c, row);
  for (int i = 0; i < encoder->shape.layers; i++) {
    packed_layer *layer = &encoder->layers[i];
    layer->qkv = linear_at(c, 3 * hidden, split_inputs(encoder, hidden), size, quantised);
    layer->attention = linear_at(c, hidden, hidden, size, quantised);
    layer->intermediate = linear_at(c, intermediate, split_inputs(encoder, hidden), size, quantised);
    layer->output = linear_at(c, hidden, intermediate, size, quantised);
    layer->attention_norm_weight = taken(c, row);
    layer->attention_norm_bias = taken(c, row);
    layer->output_norm_weight = taken(c, row);
    layer->output_norm_bias = taken(c, row);
  }
}

/// Packs into the outputs from `first` on.
static void pack(
    const qk_encoder *encoder, const packed_linear *to, size_t first, const void *weight, const void *bias,
    size_t outputs, size_t inputs, const int32_t *splits, void *scratch) {
  const size_t size = encoder->path->weight_size(encoder->scheme);
  const size_t row = (splits ? split_inputs(encoder, inputs) : inputs) * size;
  memcpy(to->bias + first, bias, outputs * sizeof(float));
  encoder->path->pack(
      encoder->scheme, weight, outputs, inputs, splits, (char *)to->panels + first * row, to->scale + first,
      to->sum + first, scratch);
}

static float at(const void *floats, size_t index) {
  float value;
  memcpy(&value, (const char *)floats + index * sizeof value, sizeof value);
  return value;
}

/// Finds the components to split: those that the norms before the feed-forward layers make largest, by the weights
/// alone. The hidden state is one sum through all layers, so they are the same ones everywhere.
static void find_splits(qk_encoder *encoder, const qk_encoder_layer *layers) {
  float largest[SPLITS];
  for (int i = 0; i < SPLITS; i++) {
    largest[i] = -1;  // below any: each component comes in once
    encoder->splits[i] = i;
  }
  for (int32_t component = 0; component < encoder->shape.hidden; component++) {
    float size = 0;
    for (int l = 0; l < encoder->shape.layers; l++)
      size += fabsf(at(layers[l].attention_norm_weight, (size_t)component)) +
              fabsf(at(layers[l].attention_norm_bias, (size_t)component));
    int place = SPLITS;
    while (place > 0 && size > largest[place - 1]) place--;
    if (place == SPLITS) continue;
    for (int i = SPLITS - 1; i > place; i--) {
      largest[i] = largest[i - 1];
      encoder->splits[i] = encoder->splits[i - 1];
    }
    largest[place] = size;
    encoder->splits[place] = component;
  }
}

static void pack_layer(
    const qk_encoder *encoder, const packed_layer *to, const qk_encoder_layer *from, void *scratch) {
  const size_t hidden = (size_t)encoder->shape.hidden, wide = (size_t)encoder->shape.intermediate;
  const size_t row = hidden * sizeof(float);
  const int32_t *splits = encoder->splits;
  // Query, key and value are one product: their panels follow each other.
  pack(encoder, &to->qkv, 0, from->query_weight, from->query_bias, hidden, hidden, splits, scratch);
  pack(encoder, &to->qkv, hidden, from->key_weight, from->key_bias, hidden, hidden, splits, scratch);
  pack(encoder, &to->qkv, 2 * hidden, from->value_weight, from->value_bias, hidden, hidden, splits, scratch);
  pack(
      encoder, &to->attention, 0, from->attention_output_weight, from->attention_output_bias, hidden, hidden, NULL,
      scratch);
  pack(encoder, &to->intermediate, 0, from->intermediate_weight, from->intermediate_bias, wide, hidden, splits, scratch);
  pack(encoder, &to->output, 0, from->output_weight, from->output_bias, hidden, wide, NULL, scratch);
  memcpy(to->attention_norm_weight, from->attention_norm_weight, row);
  memcpy(to->attention_norm_bias, from->attention_norm_bias, row);
  memcpy(to->output_norm_weight, from->output_norm_weight, row);
  memcpy(to->output_norm_bias, from->output_norm_bias, row);
}

/// Memory for packed weights, which every sequence reads from end to end: in large pages where the kernel has them,
/// so that neither filling nor reading it waits for page tables.
static void *storage_of(size_t bytes) {
  enum { LARGE = 1 << 21 };
  const size_t rounded = (bytes + 63) / 64 * 64;
  if (bytes < 2 * LARGE) return aligned_alloc(64, rounded);
  void *storage = aligned_alloc(LARGE, (bytes + LARGE - 1) / LARGE * LARGE);
#if defined(MADV_HUGEPAGE)
  // Advice: without it the memory is the same.
  if (storage) (void)madvise(storage, rounded, MADV_HUGEPAGE);
#endif
  return storage;
}

enum { MOST_THREADS = 256 };

/// Runs `work(argument)` on this thread and `others` more, as many of them as can be started, until all return.
// Starting a thread takes some 20 µs, a sequence milliseconds: a standing pool would gain nothing.
static void run_together(size_t others, void *(*work)(void *), void *argument) {
  pthread_t started[MOST_THREADS];
  size_t running = 0;
  if (others > MOST_THREADS) others = MOST_THREADS;
  while (running < others && pthread_create(&started[running], NULL, work, argument) == 0) running++;
  work(argument);
  for (size_t i = 0; i < running; i++) pthread_join(started[i], NULL);
}

typedef struct {
  const qk_encoder *encoder;
  const qk_encoder_layer *layers;
  atomic_int next;
  atomic_int done;
} packing;

static void *pack_layers(void *argument) {
  packing *p = argument;
  const qk_encoder_shape *s = &p->encoder->shape;
  const size_t longest = (size_t)(s->hidden > s->intermediate ? s->hidden : s->intermediate);
  void *scratch = malloc(p->encoder->path->packing_scratch_size(longest));
  if (!scratch) return NULL;  // the other threads may still do it all
  int i;
  while ((i = atomic_fetch_add(&p->next, 1)) < s->layers)
    pack_layer(p->encoder, &p->encoder->layers[i], &p->layers[i], scratch);
  free(scratch);
  atomic_store(&p->done, 1);
  return NULL;
}

qk_encoder *qk_encoder_create(
    const qk_encoder_shape *shape, const qk_encoder_weights *weights, qk_scheme scheme, qk_path path, int32_t threads,
    qk_status *status) {
  *status = QK_OK;
  if (scheme < QK_SCHEME_FP32 || scheme > QK_SCHEME_INT8) {
    *status = QK_BAD_SCHEME;
    return NULL;
  }
  if (!runnable(shape)) {
    *status = QK_BAD_SHAPE;
    return NULL;
  }
  qk_encoder *encoder = calloc(1, sizeof *encoder);
  packed_layer *layers = calloc((size_t)shape->layers, sizeof *layers);
  if (!encoder || !layers) {
    free(encoder);
    free(layers);
    *status = QK_OUT_OF_MEMORY;
    return NULL;
  }
  *encoder = (qk_encoder){
      .shape = *shape, .scheme = scheme, .path = implementation(path), .word_embeddings = weights->word_embeddings,
      .position_embeddings = weights->position_embeddings, .type_embedding = weights->type_embedding,
      .layers = layers};
  static char nothing;
  cursor size = {&nothing};
  lay_out(encoder, &size);
  encoder->storage = storage_of((size_t)(size.next - &nothing));
  packing p = {.encoder = encoder, .layers = weights->layers};
  if (encoder->storage) {
    lay_out(encoder, &(cursor){encoder->storage});
    memcpy(encoder->embedding_norm_weight, weights->embedding_norm_weight, (size_t)shape->hidden * sizeof(float));
    memcpy(encoder->embedding_norm_bias, weights->embedding_norm_bias, (size_t)shape->hidden * sizeof(float));
    find_splits(encoder, weights->layers);
    const int others = (threads < shape->layers ? threads : shape->layers) - 1;
    run_together(others > 0 ? (size_t)others : 0, pack_layers, &p);
  }
  if (!atomic_load(&p.done)) {
    qk_encoder_free(encoder);
    *status = QK_OUT_OF_MEMORY;
    return NULL;
  }
  return encoder;
}

void qk_encoder_free(qk_encoder *encoder) {
  if (!encoder) return;
  free(encoder->layers);
  free(encoder->storage);
  free(encoder);
}

typedef struct {
  const qk_encoder *encoder;
  const int32_t *ids;
  const size_t *offsets;
  size_t count, longest;
  float *vectors, *norms;
  atomic_size_t next;
  atomic_int done;
} batch;

static float to_unit_length(float *vector, size_t count) {
  double squares = 0;
  for (size_t i = 0; i < count; i++) squares += (double)vector[i] * (double)vector[i];
  const double norm = sqrt(squares);
  // A zero vector stays zero, as in the reference (torch's normalize divides by at least 1e-12).
  const double divisor = norm > 1e-12 ? norm : 1e-12;
  for (size_t i = 0; i < count; i++) vector[i] = (float)((double)vector[i] / divisor);
  return (float)norm;
}

static void *work(void *argument) {
  batch *b = argument;
  const qk_encoder *encoder = b->encoder;
  const size_t size = encoder->path->scratch_size(&encoder->shape, encoder->scheme, (int)b->longest);
  void *scratch = aligned_alloc(64, (size + 63) / 64 * 64);
  if (!scratch) return NULL;  // the other threads may still finish the batch
  size_t i;
  while ((i = atomic_fetch_add(&b->next, 1)) < b->count) {
    float *vector = b->vectors + i * (size_t)encoder->shape.hidden;
    encoder->path->embed(
        encoder, b->ids + b->offsets[i], (int)(b->offsets[i + 1] - b->offsets[i]), scratch, vector);
    const float norm = to_unit_length(vector, (size_t)encoder->shape.hidden);
    if (b->norms) b->norms[i] = norm;
  }
  free(scratch);
  atomic_store(&b->done, 1);
  return NULL;
}

qk_status qk_encoder_embed(
    const qk_encoder *encoder, const int32_t *ids, const size_t *offsets, size_t count, int32_t threads,
    float *vectors, float *norms) {
  if (count == 0) return QK_OK;
  batch b = {
      .encoder = encoder, .ids = ids, .offsets = offsets, .count = count, .vectors = vectors, .norms = norms};
  for (size_t i = 0; i < count; i++) {
    if (offsets[i + 1] <= offsets[i]) return QK_BAD_INPUT;
    const size_t length = offsets[i + 1] - offsets[i];
    if (length > (size_t)encoder->shape.positions) return QK_BAD_INPUT;
    if (length > b.longest) b.longest = length;
  }
  for (size_t i = offsets[0]; i < offsets[count]; i++)
    if (ids[i] < 0 || ids[i] >= encoder->shape.vocabulary) return QK_BAD_INPUT;

  const size_t others = threads > 1 ? (size_t)threads - 1 : 0;
  run_together(others < count - 1 ? others : count - 1, work, &b);
  // A thread that found memory leaves only when the batch is at its end, and all are joined here.
  return atomic_load(&b.done) ? QK_OK : QK_OUT_OF_MEMORY;
}
