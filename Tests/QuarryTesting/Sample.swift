public import Core
public import FoundationEssentials

/// Builders of plausible values for tests: everything has a default, ids follow from their parts.
public enum Sample {
  /// A fixed moment: 2026-01-02 03:04:05 UTC.
  public static let date = Date(timeIntervalSince1970: 1_767_323_045)
  /// The pipeline version of samples.
  public static let pipeline = PipelineVersion(rawValue: "poppler-1/hygiene-1/chunks-1")
  /// The same as what documents are made by now.
  public static let current = CurrentPipeline(base: pipeline)
  /// The same with recognition of pages that are images.
  public static let recognizing = CurrentPipeline(
    base: pipeline, recognition: .init(version: "eyes-1", limitsVersion: "narrow", coverages: [.imageOnly]))
  /// The identity of ``FakeEmbedder`` with its defaults.
  public static let identity = FakeEmbedder.identity()

  /// `digits` hex digits that follow from `text` (FNV-1a, chained): unique enough for tests, not a real SHA-256.
  public static func hex(_ text: String, digits: Int = 32) -> String {
    var result = ""
    var round: UInt8 = 0
    while result.count < digits {
      let part = String(FNV1a.hash(Array(text.utf8) + [round]), radix: 16)
      result += String(repeating: "0", count: 16 - part.count) + part
      round += 1
    }
    return String(result.prefix(digits))
  }

  /// The rules by which samples get their ids.
  public static let rules = IdentityRules(
    documentID: { DocumentID(rawValue: hex("\($0)|\($1)|\($2)")) },
    chunkID: { ChunkID(rawValue: hex("\($0)|\($1)|\($2)|\($3)")) },
    textHash: { TextHash(rawValue: hex($0, digits: 64)) })

  /// A document of `collection` in /library, first seen there unless `firstURI` says otherwise; its version follows
  /// from `content`, by default from `name`.
  public static func document(
    _ name: String = "manual.pdf", collection: CollectionName = .default, firstURI: SourceURI? = nil,
    generation: Int = 0, content: String? = nil
  ) -> Document {
    let uri = SourceURI(filePath: "/library/\(name)")
    let id = hex("\(collection)|\(firstURI ?? uri)|\(generation)")
    return Document(
      id: DocumentID(rawValue: id), collection: collection, uri: uri, generation: generation,
      version: ContentVersion(rawValue: hex(content ?? "first bytes of \(name)", digits: 64)))
  }

  /// A US-letter page whose scalars stand in lines of 80, each 6 by 10 points; white space has no box.
  public static func page(
    _ number: Int = 1, text: String, label: String? = nil, coverage: PageCoverage = .text, reason: String? = nil
  ) -> Page {
    let boxes = text.unicodeScalars.enumerated().map { index, scalar -> Box? in
      guard !scalar.properties.isWhitespace else { return nil }
      let left = 72 + Float(index % 80) * 6
      let top = 72 + Float(index / 80) * 12
      return Box(left: left, top: top, right: left + 6, bottom: top + 10)
    }
    let blocks = boxes.isEmpty ? [] : [TextBlock(range: 0..<boxes.count, kind: .paragraph)]
    return Page(
      number: number, label: label, size: PageSize(width: 612, height: 792), text: text, boxes: boxes,
      blocks: blocks, coverage: coverage, coverageReason: reason)
  }

  /// One chunk that is the whole text of `page`.
  public static func chunk(
    of page: Page, document: Document, ordinal: Int, headingPath: [String] = [],
    pipeline: PipelineVersion = Sample.pipeline, isLowValue: Bool = false
  ) -> Chunk {
    let range = PageRange(page: page.number, label: page.label, range: 0..<page.text.unicodeScalars.count)
    return Chunk(
      id: ChunkID(rawValue: hex("\(document.id)|\(document.version)|\(pipeline)|\(ordinal)")), document: document.id,
      ordinal: ordinal, text: page.text, pages: [range], headingPath: headingPath,
      embeddedText: (headingPath + [page.text]).joined(separator: "\n"), isLowValue: isLowValue)
  }

  /// A chunk with the vector that `embedder` gives its embedded text.
  public static func embedded(_ chunk: Chunk, by embedder: FakeEmbedder = FakeEmbedder()) -> EmbeddedChunk {
    EmbeddedChunk(
      chunk: chunk, textHash: TextHash(rawValue: hex(chunk.embeddedText, digits: 64)),
      embedding: embedder.embedding(of: chunk.embeddedText))
  }

  /// A document ready for commit: one page and one chunk for each text (blank texts are empty pages, no chunk).
  public static func indexed(
    _ document: Document = Sample.document(), texts: [String] = ["The pump moves water from the lower basin."],
    title: String? = nil, attributes: [String: String] = [:], embedder: FakeEmbedder = FakeEmbedder(),
    pipeline: PipelineVersion = Sample.pipeline, stamp: String = "stamp-1", state: DocumentState = .ready
  ) -> IndexedDocument {
    let pages = texts.enumerated().map { index, text in
      text.isEmpty
        ? page(index + 1, text: "", coverage: .empty, reason: "nothing on the page") : page(index + 1, text: text)
    }
    let chunks = pages.filter { !$0.text.isEmpty }.enumerated().map { ordinal, page in
      embedded(chunk(of: page, document: document, ordinal: ordinal, pipeline: pipeline), by: embedder)
    }
    return IndexedDocument(
      document: document, metadata: DocumentMetadata(title: title, attributes: attributes), sourceStamp: stamp,
      byteCount: texts.reduce(1_000) { $0 + $1.utf8.count }, pageCount: pages.count, pages: pages, outline: [],
      chunks: chunks, identity: embedder.identity, pipeline: pipeline, state: state, indexed: date)
  }

  /// What a source says of the file of `document`.
  public static func object(
    _ name: String = "manual.pdf", collection: CollectionName = .default, stamp: String = "stamp-1"
  ) -> SourceObject {
    SourceObject(
      uri: SourceURI(filePath: "/library/\(name)"), collection: collection, byteCount: 1_000, modified: date,
      stamp: stamp)
  }
}

/// The 64-bit FNV-1a hash. Source: http://www.isthe.com/chongo/tech/comp/fnv/
enum FNV1a {
  static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    // FNV's high bits mix poorly for short input: finish with one round of SplitMix64.
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
  }
}
