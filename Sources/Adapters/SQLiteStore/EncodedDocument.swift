import Core
import IndexEncoding
import SQLite

/// A document in the form of the tables, made before the writer's lock is taken.
struct EncodedDocument: Sendable {
  struct PageParts: Sendable {
    var blocks: [UInt8]
    var boxes: [UInt8]
  }

  struct ChunkParts: Sendable {
    var source: EmbeddedChunk
    var pages: String
    var headings: String
    /// What stands before the text in the embedded text.
    var prefix: String
    /// The embedded text when it does not end in the text; then the prefix is empty.
    var embedded: String?
    var grams: String
    var vector: [UInt16]

    /// What the words table holds beside the prefix.
    var body: String { embedded ?? source.chunk.text }
  }

  let indexed: IndexedDocument
  let outline: String
  let attributes: String
  let coverage: String
  let pages: [PageParts]
  let chunks: [ChunkParts]
  /// SHA-256 over everything of the extraction.
  let digest: [UInt8]

  init(_ indexed: IndexedDocument) throws {
    self.indexed = indexed
    outline = try Stored.json(indexed.outline)
    attributes = try Stored.json(indexed.metadata.attributes)
    let counts: [PageCoverage: Int] = indexed.pages.reduce(into: [:]) { $0[$1.coverage, default: 0] += 1 }
    coverage = try Stored.json(counts)
    pages = indexed.pages.map { page in
      PageParts(blocks: PageCoding.encode(page.blocks), boxes: PageCoding.encode(page.boxes))
    }
    digest = Self.digest(indexed, outline: outline, pages: pages)
    chunks = try indexed.chunks.map { source in
      guard source.embedding.vector.count == indexed.identity.dimension else {
        throw StoreError(
          code: "index.wrong_dimension", category: .invalidInput,
          message: "chunk \(source.chunk.id) has a vector of \(source.embedding.vector.count) components; "
            + "\(indexed.identity.summary) has \(indexed.identity.dimension)")
      }
      let chunk = source.chunk
      let endsInText = chunk.embeddedText.hasSuffix(chunk.text) && !chunk.text.isEmpty
      let prefixBytes = chunk.embeddedText.utf8.dropLast(endsInText ? chunk.text.utf8.count : 0)
      // `hasSuffix` compares by canonical equivalence; the texts must be put together again to the byte.
      let prefix = endsInText ? String(decoding: prefixBytes, as: UTF8.self) : ""
      let isExact = endsInText && (prefix + chunk.text).utf8.elementsEqual(chunk.embeddedText.utf8)
      return ChunkParts(
        source: source, pages: try Stored.json(chunk.pages), headings: try Stored.json(chunk.headingPath),
        prefix: isExact ? prefix : "", embedded: isExact ? nil : chunk.embeddedText,
        grams: ScriptGrams.indexed(of: chunk.embeddedText),
        vector: HalfVectors.halves(source.embedding.vector))
    }
  }

  private static func digest(_ indexed: IndexedDocument, outline: String, pages: [PageParts]) -> [UInt8] {
    let digest = TextDigest(
      version: indexed.document.version.rawValue, pipeline: indexed.pipeline.rawValue, pageCount: indexed.pageCount,
      outline: outline)
    for (page, parts) in zip(indexed.pages, pages) { digest.add(page, blocks: parts.blocks, boxes: parts.boxes) }
    return digest.finalize()
  }
}
