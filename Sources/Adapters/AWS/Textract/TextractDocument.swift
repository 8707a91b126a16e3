import Core

/// The blocks that Textract found on one image.
///
/// Source: https://docs.aws.amazon.com/textract/latest/dg/API_Block.html
struct TextractDocument: Decodable {
  private struct Block: Decodable {
    struct Relationship: Decodable {
      var type: String?
      var ids: [String]?
      enum CodingKeys: String, CodingKey {
        case type = "Type"
        case ids = "Ids"
      }
    }
    struct Geometry: Decodable {
      struct Place: Decodable {
        var left, top, width, height: Float
        enum CodingKeys: String, CodingKey {
          case left = "Left"
          case top = "Top"
          case width = "Width"
          case height = "Height"
        }
      }
      var boundingBox: Place
      enum CodingKeys: String, CodingKey { case boundingBox = "BoundingBox" }
    }
    var id: String
    var type: String
    var text: String?
    /// In percent.
    var confidence: Float?
    var geometry: Geometry?
    var relationships: [Relationship]?

    enum CodingKeys: String, CodingKey {
      case id = "Id"
      case type = "BlockType"
      case text = "Text"
      case confidence = "Confidence"
      case geometry = "Geometry"
      case relationships = "Relationships"
    }

    var box: Box? {
      guard let place = geometry?.boundingBox else { return nil }
      func part(_ value: Float) -> Float { min(1, max(0, value)) }
      return Box(
        left: part(place.left), top: part(place.top), right: part(place.left + place.width),
        bottom: part(place.top + place.height))
    }
  }

  private var blocks: [Block]
  enum CodingKeys: String, CodingKey { case blocks = "Blocks" }

  /// The words, line by line. Lines that follow one another closely are a paragraph, since Textract tells none.
  var words: [RecognizedWord] {
    let byID = Dictionary(blocks.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var words: [RecognizedWord] = []
    var above: Box?
    var paragraph = -1
    for (line, block) in blocks.filter({ $0.type == "LINE" }).enumerated() {
      guard let box = block.box else { continue }
      if above.map({ !Self.continues(box, below: $0) }) ?? true { paragraph += 1 }
      above = box
      for id in (block.relationships ?? []).filter({ $0.type == "CHILD" }).flatMap({ $0.ids ?? [] }) {
        guard let word = byID[id], word.type == "WORD", let place = word.box, let text = word.text, !text.isEmpty
        else { continue }
        words.append(
          RecognizedWord(
            text: text, box: place, confidence: min(1, max(0, (word.confidence ?? 0) / 100)), paragraph: paragraph,
            line: line))
      }
    }
    return words
  }

  /// Whether a line goes on with the paragraph of the one above: under it, and less than a line's height away.
  private static func continues(_ line: Box, below above: Box) -> Bool {
    let height = max(above.bottom - above.top, line.bottom - line.top)
    let gap = line.top - above.bottom
    return gap > -height / 2 && gap < height * 0.9 && line.left < above.right && above.left < line.right
  }
}
