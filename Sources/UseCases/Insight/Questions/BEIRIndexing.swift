public import Core
import FoundationEssentials
import Ingestion

/// Puts the corpus of a BEIR test set into an index, each document as one page under the name of its id.
public struct BEIRIndexing: Sendable {
  /// How far indexing has come.
  public struct Progress: Sendable, Hashable {
    /// Documents committed.
    public var documents: Int
    /// Chunks committed.
    public var chunks: Int
  }

  private let chunker: any Chunker
  private let embedder: any Embedder
  private let index: any DocumentIndex
  /// Texts after which documents are embedded and committed: it bounds memory.
  private let batchSize: Int

  /// Creates an indexing of corpora into `index`, best an empty one made for the purpose.
  public init(chunker: any Chunker, embedder: any Embedder, index: any DocumentIndex) {
    self.chunker = chunker
    self.embedder = embedder
    self.index = index
    batchSize = max(1, embedder.batchSize) * 4
  }

  /// Indexes the corpus; memory holds one batch of documents at a time.
  /// - Returns: The number of documents.
  /// - Throws: ``InsightError`` for a malformed corpus; what embedder and index throw.
  @discardableResult
  public func index(
    _ dataset: BEIRDataset, progress: @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Int {
    let pipeline = PipelineVersion(rawValue: "beir-1/\(chunker.version)")
    var done = Progress(documents: 0, chunks: 0)
    var batch: [Draft] = []
    var texts = 0
    try await dataset.forEachDocument { document in
      try Task.checkCancellation()
      let draft = draft(of: document, pipeline: pipeline)
      batch.append(draft)
      texts += draft.chunks.count
      guard texts >= batchSize else { return }
      try await commit(batch, pipeline: pipeline, done: &done)
      progress(done)
      batch = []
      texts = 0
    }
    try await commit(batch, pipeline: pipeline, done: &done)
    progress(done)
    return done.documents
  }

  private struct Draft {
    var document: Document
    var page: Page
    var byteCount: Int
    var chunks: [Chunk]
  }

  private func draft(of source: BEIRDataset.CorpusDocument, pipeline: PipelineVersion) -> Draft {
    let uri = SourceURI(rawValue: "upload://beir/\(BEIRDataset.documentName(source.id))")
    let page = Self.page(title: source.title, text: source.text)
    let document = Document(
      id: DocumentID(collection: .default, firstURI: uri, generation: 0), collection: .default, uri: uri,
      generation: 0, version: ContentVersion(rawValue: TextHash(of: page.text).rawValue))
    let chunks = chunker.chunks(of: [page], document: document, metadata: DocumentMetadata(), pipeline: pipeline)
    return Draft(document: document, page: page, byteCount: page.text.utf8.count, chunks: chunks)
  }

  /// The title as a heading above the text, as a PDF would have it.
  private static func page(title: String, text: String) -> Page {
    let title = title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let text = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let head = title.unicodeScalars.count
    let whole = title.isEmpty ? text : text.isEmpty ? title : title + "\n" + text
    let end = whole.unicodeScalars.count
    var blocks: [TextBlock] = []
    if head > 0 { blocks.append(TextBlock(range: 0..<head, kind: .heading(level: 1))) }
    if !text.isEmpty { blocks.append(TextBlock(range: (head > 0 ? head + 1 : 0)..<end, kind: .paragraph)) }
    return Page(
      number: 1, size: PageSize(width: 612, height: 792), text: whole, boxes: [Box?](repeating: nil, count: end),
      blocks: blocks, coverage: whole.isEmpty ? .empty : .text,
      coverageReason: whole.isEmpty ? "the document has no text" : nil)
  }

  private func commit(_ batch: [Draft], pipeline: PipelineVersion, done: inout Progress) async throws {
    let texts = batch.flatMap { $0.chunks.map(\.embeddedText) }
    var embeddings: [Embedding] = []
    embeddings.reserveCapacity(texts.count)
    let size = max(1, embedder.batchSize)
    for start in stride(from: 0, to: texts.count, by: size) {
      embeddings += try await embedder.embed(
        Array(texts[start..<min(start + size, texts.count)]), as: .document)
    }
    var next = 0
    for draft in batch {
      let chunks = draft.chunks.map { chunk in
        defer { next += 1 }
        return EmbeddedChunk(chunk: chunk, textHash: TextHash(of: chunk.embeddedText), embedding: embeddings[next])
      }
      try await index.commit(
        IndexedDocument(
          document: draft.document, metadata: DocumentMetadata(), sourceStamp: "", byteCount: draft.byteCount,
          pageCount: 1, pages: [draft.page], outline: [], chunks: chunks, identity: embedder.identity,
          pipeline: pipeline, state: chunks.isEmpty ? .unreadable : .ready,
          reason: chunks.isEmpty ? "the document has no text" : nil, indexed: Date()))
      done.documents += 1
      done.chunks += chunks.count
    }
  }
}
