import Core
import Cryptography
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
        grams: LexicalQuery.indexedGrams(of: chunk.embeddedText),
        vector: DenseSearch.halves(source.embedding.vector))
    }
  }

  /// Every field with its length before it, so that no two extractions run together to the same bytes.
  private static func digest(_ indexed: IndexedDocument, outline: String, pages: [PageParts]) -> [UInt8] {
    var hash = SHA256()
    for text in [indexed.document.version.rawValue, indexed.pipeline.rawValue, "\(indexed.pageCount)", outline] {
      add(Array(text.utf8), to: &hash)
    }
    for (page, parts) in zip(indexed.pages, pages) {
      let label = page.label.map { "+\($0)" } ?? "-"
      let reason = page.coverageReason.map { "+\($0)" } ?? "-"
      let size = "\(page.size.width) \(page.size.height)"
      for text in ["\(page.number)", label, size, page.coverage.rawValue, reason, page.text] {
        add(Array(text.utf8), to: &hash)
      }
      add(parts.blocks, to: &hash)
      add(parts.boxes, to: &hash)
    }
    return Array(hash.finalize())
  }

  private static func add(_ bytes: [UInt8], to hash: inout SHA256) {
    var count = ByteWriter()
    count.write(bytes.count)
    hash.update(count.bytes)
    hash.update(bytes)
  }
}
