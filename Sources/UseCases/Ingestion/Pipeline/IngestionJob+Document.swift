public import Core

extension IngestionJob {
  /// The id that the job's document has or will get.
  public func documentID(in index: any DocumentIndex) async throws -> DocumentID {
    if let document { return document }
    if let known = try await index.source(at: uri, collection: collection), !known.isTombstone {
      return known.document.id
    }
    let generation = try await index.nextGeneration(at: uri, collection: collection)
    return DocumentID(collection: collection, firstURI: uri, generation: generation)
  }
}
