import Core

/// Cuts texts into the batches of single calls and makes several calls at a time.
enum EmbeddingBatches {
  /// The embeddings of all texts, in their order.
  /// - Parameters:
  ///   - size: Texts of one call.
  ///   - width: Calls at one time; a pace may allow fewer.
  static func run(
    _ texts: [String], size: Int, width: Int, embed: @escaping @Sendable ([String]) async throws -> [Embedding]
  ) async throws -> [Embedding] {
    let batches = stride(from: 0, to: texts.count, by: size).map { Array(texts[$0..<min($0 + size, texts.count)]) }
    return try await withThrowingTaskGroup(of: (Int, [Embedding]).self) { group in
      var results = [[Embedding]](repeating: [], count: batches.count)
      var next = 0
      func start() {
        guard next < batches.count else { return }
        let index = next
        let batch = batches[index]
        next += 1
        group.addTask { (index, try await embed(batch)) }
      }
      for _ in 0..<width { start() }
      while let (index, embeddings) = try await group.next() {
        results[index] = embeddings
        start()
      }
      return results.flatMap { $0 }
    }
  }
}
