import Core
import FoundationEssentials
import IndexEncoding

/// A chunk as its index keeps it.
struct ChunkBody {
  let source: EmbeddedChunk
  let vn: Int
  let collection: CollectionName
  let attributes: [String: String]

  func append(to text: inout JSONText) {
    let chunk = source.chunk
    let embedded = chunk.embeddedText
    text.raw("{\"vn\":")
    text.append(vn)
    text.raw(",\"chunk\":")
    text.append(chunk.id.rawValue)
    text.raw(",\"document\":")
    text.append(chunk.document.rawValue)
    text.raw(",\"collection\":")
    text.append(collection.rawValue)
    text.raw(",\"ordinal\":")
    text.append(chunk.ordinal)
    text.raw(",\"hash\":")
    text.append(source.textHash.rawValue)
    if !attributes.isEmpty {
      text.raw(",\"attributes\":")
      text.append(.strings(attributes.map(IndexDesign.attribute).sorted()))
    }
    text.raw(",\"words\":")
    text.append(embedded)
    let grams = ScriptGrams.indexed(of: embedded)
    if !grams.isEmpty {
      text.raw(",\"grams\":")
      text.append(grams)
    }
    text.raw(",\"vector\":")
    text.append(source.embedding.vector)
    var record: [(String, JSON)] = [
      ("norm", .double(Double(source.embedding.norm))),
      (
        "pages",
        .array(
          chunk.pages.map { range in
            .object(
              [
                ("page", .int(range.page)), ("start", .int(range.range.lowerBound)),
                ("end", .int(range.range.upperBound)),
              ] + (range.label.map { [("label", .string($0))] } ?? []))
          })
      ),
      ("headings", .strings(chunk.headingPath)),
    ]
    if chunk.isLowValue { record.append(("low_value", true)) }
    // The text is the end of the embedded text, as a rule; it is kept once.
    let skipped = embedded.utf8.count - chunk.text.utf8.count
    if skipped >= 0, embedded.utf8.suffix(chunk.text.utf8.count).elementsEqual(chunk.text.utf8) {
      record.append(("skip", .int(skipped)))
    } else {
      record.append(("text", .string(chunk.text)))
    }
    text.raw(",\"record\":")
    text.append(.object(record))
    text.raw("}")
  }
}

/// The same as it is read.
struct StoredChunkBody: Decodable {
  struct Range: Decodable {
    var page: Int
    var start: Int
    var end: Int
    var label: String?
  }
  struct Record: Decodable {
    var norm: Float?
    var pages: [Range]
    var headings: [String]
    var lowValue: Bool?
    var skip: Int?
    var text: String?

    enum CodingKeys: String, CodingKey {
      case norm
      case pages
      case headings
      case lowValue = "low_value"
      case skip
      case text
    }
  }

  var vn: Int
  var chunk: String
  var document: String
  var ordinal: Int
  var hash: String
  var words: String
  var vector: [Float]?
  var record: Record

  /// - Throws: `store.damaged` when it cannot have been written so.
  func chunk(_ id: ChunkID) throws -> Chunk {
    let text: String
    if let own = record.text {
      text = own
    } else if let skip = record.skip, (0...words.utf8.count).contains(skip) {
      text = String(decoding: words.utf8.dropFirst(skip), as: UTF8.self)
    } else {
      throw OpenSearchError.damaged("chunk \(id) has no text")
    }
    return Chunk(
      id: id, document: DocumentID(rawValue: document), ordinal: ordinal, text: text,
      pages: try record.pages.map { range in
        guard range.start <= range.end else { throw OpenSearchError.damaged("chunk \(id) has a page range backwards") }
        return PageRange(page: range.page, label: range.label, range: range.start..<range.end)
      },
      headingPath: record.headings, embeddedText: words, isLowValue: record.lowValue ?? false)
  }
}

/// A page as its index keeps it; boxes and blocks in the form that every store uses.
struct PageBody {
  let page: Page
  let vn: Int
  let space: String
  let document: DocumentID

  func append(to text: inout JSONText) {
    var record: [(String, JSON)] = [
      ("width", .double(Double(page.size.width))), ("height", .double(Double(page.size.height))),
      ("text", .string(page.text)), ("boxes", .string(Data(PageCoding.encode(page.boxes)).base64EncodedString())),
      ("blocks", .string(Data(PageCoding.encode(page.blocks)).base64EncodedString())),
    ]
    if let label = page.label { record.append(("label", .string(label))) }
    if let reason = page.coverageReason { record.append(("reason", .string(reason))) }
    if let recognition = page.recognition {
      record.append(("recognizer", .string(recognition.recognizer)))
      record.append(("confidence", .double(Double(recognition.confidence))))
    }
    text.append([
      "vn": .int(vn), "space": .string(space), "document": .string(document.rawValue), "number": .int(page.number),
      "coverage": .string(page.coverage.rawValue), "record": .object(record),
    ])
  }
}

/// The same as it is read; text and layout are left out where only the state is asked for.
struct StoredPageBody: Decodable, Sendable {
  struct Record: Decodable, Sendable {
    var width: Float?
    var height: Float?
    var text: String?
    var boxes: String?
    var blocks: String?
    var label: String?
    var reason: String?
    var recognizer: String?
    var confidence: Float?
  }

  var number: Int
  var coverage: PageCoverage
  var record: Record

  static let state: JSON = [
    "includes": ["number", "coverage", "record.label", "record.reason", "record.recognizer", "record.confidence"]
  ]

  var recognition: TextRecognition? {
    record.recognizer.map { TextRecognition(recognizer: $0, confidence: record.confidence ?? 0) }
  }

  var pageState: PageState {
    PageState(
      page: number, label: record.label, coverage: coverage, reason: record.reason, recognition: recognition)
  }

  /// - Throws: `store.damaged` when its layout cannot be read.
  func page() throws -> Page {
    guard let text = record.text, let width = record.width, let height = record.height,
      let boxBytes = record.boxes.flatMap({ Data(base64Encoded: $0) }),
      let blockBytes = record.blocks.flatMap({ Data(base64Encoded: $0) }),
      let boxes = boxBytes.withUnsafeBytes({ PageCoding.boxes($0) }),
      let blocks = blockBytes.withUnsafeBytes({ PageCoding.blocks($0) })
    else { throw OpenSearchError.damaged("the layout of page \(number) cannot be read") }
    return Page(
      number: number, label: record.label, size: PageSize(width: width, height: height), text: text, boxes: boxes,
      blocks: blocks, coverage: coverage, coverageReason: record.reason, recognition: recognition)
  }
}
