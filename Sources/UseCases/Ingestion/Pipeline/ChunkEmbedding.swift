import Core

/// The embedding stage: every text is computed once, whichever document or run it comes from.
struct ChunkEmbedding: Sendable {
  let embedder: any Embedder
  let cache: any EmbeddingCache

  /// The chunks with their embeddings. What the cache knows is reused; the rest is computed in batches of
  /// similar length (a batch costs as much as its longest text) and cached batch by batch, so that a run that
  /// is cut short goes on where it was.
  func embedded(
    _ chunks: [Chunk], progress: (_ done: Int) async throws -> Void
  ) async throws -> [EmbeddedChunk] {
    let identity = embedder.identity
    let hashes = chunks.map { TextHash(of: $0.embeddedText) }
    var known = try await cache.embeddings(for: Array(Set(hashes)), identity: identity)
    let reused = Set(known.keys)
    var missing: [(hash: TextHash, text: String)] = []
    var seen = reused
    for (chunk, hash) in zip(chunks, hashes) where seen.insert(hash).inserted {
      missing.append((hash, chunk.embeddedText))
    }
    missing.sort { ($0.text.utf8.count, $0.hash) < ($1.text.utf8.count, $1.hash) }
    var start = 0
    if !reused.isEmpty { try await progress(hashes.lazy.filter(reused.contains).count) }
    while start < missing.count {
      try Task.checkCancellation()
      let batch = missing[start..<min(missing.count, start + max(1, embedder.batchSize))]
      let vectors = try await embedder.embed(batch.map(\.text), as: .document)
      guard vectors.count == batch.count else { throw IngestionError.noVector }
      let fresh = Dictionary(uniqueKeysWithValues: zip(batch.map(\.hash), vectors))
      try await cache.store(fresh, identity: identity)
      known.merge(fresh) { old, _ in old }
      start += batch.count
      try await progress(hashes.lazy.filter { known[$0] != nil }.count)
    }
    return try zip(chunks, hashes).map { chunk, hash in
      guard let embedding = known[hash] else { throw IngestionError.noVector }
      return EmbeddedChunk(chunk: chunk, textHash: hash, embedding: embedding, isReused: reused.contains(hash))
    }
  }
}
