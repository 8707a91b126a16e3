// Packing of the weights, and the threads that share a batch. The arithmetic is in EncoderPath.inc.h.

#include "Encoder.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const encoder_path *implementation(qk_path path) {
  switch (qk_path_resolved(path)) {
#if defined(__x86_64__)
    case QK_PATH_AVX512:
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

/// Where the next packed weights go; every piece starts on a cache line because all lengths are multiples of 32.
typedef struct {
  float *next;
  size_t panel;
} packer;

static const float *copied(packer *p, const void *source, size_t count) {
  float *target = p->next;
  memcpy(target, source, count * sizeof(float));
  p->next += count;
  return target;
}

static const float *in_panels(packer *p, const void *weight, size_t outputs, size_t inputs) {
  float *target = p->next;
  for (size_t first = 0; first < outputs; first += p->panel) {
    float *panel = p->next + first * inputs;
    for (size_t column = 0; column < p->panel; column++) {
      const char *source = (const char *)weight + (first + column) * inputs * sizeof(float);
      for (size_t k = 0; k < inputs; k++) memcpy(&panel[k * p->panel + column], source + k * sizeof(float), 4);
    }
  }
  p->next += outputs * inputs;
  return target;
}

static void pack(packer *p, packed_layer *to, const qk_encoder_layer *from, size_t hidden, size_t intermediate) {
  // Query, key and value are one product: their panels follow each other.
  to->qkv_panels = in_panels(p, from->query_weight, hidden, hidden);
  in_panels(p, from->key_weight, hidden, hidden);
  in_panels(p, from->value_weight, hidden, hidden);
  to->qkv_bias = copied(p, from->query_bias, hidden);
  copied(p, from->key_bias, hidden);
  copied(p, from->value_bias, hidden);
  to->attention_panels = in_panels(p, from->attention_output_weight, hidden, hidden);
  to->attention_bias = copied(p, from->attention_output_bias, hidden);
  to->attention_norm_weight = copied(p, from->attention_norm_weight, hidden);
  to->attention_norm_bias = copied(p, from->attention_norm_bias, hidden);
  to->intermediate_panels = in_panels(p, from->intermediate_weight, intermediate, hidden);
  to->intermediate_bias = copied(p, from->intermediate_bias, intermediate);
  to->output_panels = in_panels(p, from->output_weight, hidden, intermediate);
  to->output_bias = copied(p, from->output_bias, hidden);
  to->output_norm_weight = copied(p, from->output_norm_weight, hidden);
  to->output_norm_bias = copied(p, from->output_norm_bias, hidden);
}

qk_encoder *qk_encoder_create(
    const qk_encoder_shape *shape, const qk_encoder_weights *weights, qk_scheme scheme, qk_path path,
    qk_status *status) {
  *status = QK_OK;
  if (scheme != QK_SCHEME_FP32) {
    *status = QK_BAD_SCHEME;
    return NULL;
  }
  if (!runnable(shape)) {
    *status = QK_BAD_SHAPE;
    return NULL;
  }
  const size_t hidden = (size_t)shape->hidden, intermediate = (size_t)shape->intermediate;
  const size_t layers = (size_t)shape->layers;
  const size_t per_layer = hidden * (4 * hidden + 2 * intermediate) + 9 * hidden + intermediate;
  const size_t bytes = (layers * per_layer + 2 * hidden) * sizeof(float);
  qk_encoder *encoder = calloc(1, sizeof *encoder);
  packed_layer *packed = calloc(layers, sizeof *packed);
  float *storage = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!encoder || !packed || !storage) {
    free(encoder);
    free(packed);
    free(storage);
    *status = QK_OUT_OF_MEMORY;
    return NULL;
  }
  *encoder = (qk_encoder){
      .shape = *shape, .path = implementation(path), .word_embeddings = weights->word_embeddings,
      .position_embeddings = weights->position_embeddings, .type_embedding = weights->type_embedding,
      .layers = packed, .storage = storage};
  packer p = {.next = storage, .panel = (size_t)encoder->path->panel};
  encoder->embedding_norm_weight = copied(&p, weights->embedding_norm_weight, hidden);
  encoder->embedding_norm_bias = copied(&p, weights->embedding_norm_bias, hidden);
  for (size_t i = 0; i < layers; i++) pack(&p, &packed[i], &weights->layers[i], hidden, intermediate);
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
  const size_t size = encoder->path->scratch_size(&encoder->shape, (int)b->longest);
  float *scratch = aligned_alloc(64, (size + 63) / 64 * 64);
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
  enum { MOST_THREADS = 256 };
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

  size_t helpers = threads > 1 ? (size_t)threads - 1 : 0;
  if (helpers > MOST_THREADS) helpers = MOST_THREADS;
  if (helpers > count - 1) helpers = count - 1;
  pthread_t started[MOST_THREADS];
  size_t running = 0;
  // Starting a thread takes some 20 µs, a sequence milliseconds: a standing pool would gain nothing.
  while (running < helpers && pthread_create(&started[running], NULL, work, &b) == 0) running++;
  work(&b);
  for (size_t i = 0; i < running; i++) pthread_join(started[i], NULL);
  // A thread that found memory leaves only when the batch is at its end, and all are joined here.
  return atomic_load(&b.done) ? QK_OK : QK_OUT_OF_MEMORY;
}
