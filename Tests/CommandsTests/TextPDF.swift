import Foundation

/// Writes plain PDFs (ISO 32000-1, 7.5): pages of Helvetica lines on letter paper.
enum TextPDF {
  /// A document with a page for each of `pages`; each page is a list of lines.
  static func make(_ pages: [[String]]) -> Data {
    var objects = ["<</Type/Catalog/Pages 2 0 R>>"]
    let kids = pages.indices.map { "\(4 + 2 * $0) 0 R" }.joined(separator: " ")
    objects.append("<</Type/Pages/Kids[\(kids)]/Count \(pages.count)>>")
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for (index, lines) in pages.enumerated() {
      let shown = lines.map { "(\($0)) Tj 0 -16 Td" }.joined(separator: "\n")
      let content = "BT /F1 12 Tf 72 700 Td\n\(shown)\nET"
      objects.append(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents \(5 + 2 * index) 0 R"
          + "/Resources<</Font<</F1 3 0 R>>>>>>")
      objects.append("<</Length \(content.utf8.count)>>\nstream\n\(content)\nendstream")
    }
    return file(objects)
  }

  /// A file of these objects, numbered from 1; the first is the catalogue.
  static func file(_ objects: [String]) -> Data { file(objects.map { Data($0.utf8) }) }

  /// The same of objects that hold any bytes.
  static func file(_ objects: [Data]) -> Data {
    var bytes = Data("%PDF-1.4\n".utf8)
    var offsets: [Int] = []
    for (index, object) in objects.enumerated() {
      offsets.append(bytes.count)
      bytes += Data("\(index + 1) 0 obj\n".utf8) + object + Data("\nendobj\n".utf8)
    }
    let table = bytes.count
    bytes += Data("xref\n0 \(objects.count + 1)\n0000000000 65535 f \n".utf8)
    for offset in offsets {
      let digits = String(offset)
      bytes += Data((String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n").utf8)
    }
    return bytes + Data("trailer\n<</Root 1 0 R/Size \(objects.count + 1)>>\nstartxref\n\(table)\n%%EOF\n".utf8)
  }

  /// A weir, its height and its keeper: something to ask about.
  static let weir = make([
    [
      "The weir at Alderford was built in 1911 by the river trust.", "Its crest stands 3.4 metres above the bed.",
      "The weir is inspected every spring by two engineers.",
    ],
    [
      "The keeper of the weir lives in the lodge on the north bank.",
      "She opens the sluice when the river rises above the mark.",
      "A telephone connects the lodge with the town hall.",
    ],
  ])

  /// Another subject, for a second document.
  static let orchard = make([
    [
      "The orchard of the abbey grows forty kinds of pears.", "Grafting takes place in February before the sap rises.",
      "The oldest pear tree was planted in 1764 by the monks.",
    ]
  ])

  /// A form that draws the next form twice, `depth` times over: 2^depth drawings.
  static func nestedForms(depth: Int) -> Data {
    var objects = [
      "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[4 0 R]/Count 1>>",
      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 5 0 R/Resources<</XObject<</X 6 0 R>>>>>>",
      "<</Length 5>>\nstream\n/X Do\nendstream",
    ]
    for level in 0..<depth {
      objects.append(
        "<</Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X \(7 + level) 0 R>>>>/Length 11>>\n"
          + "stream\n/X Do /X Do\nendstream")
    }
    let text = "BT /F1 12 Tf 72 700 Td (deep) Tj ET"
    objects.append(
      "<</Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Length \(text.utf8.count)>>\n"
        + "stream\n\(text)\nendstream")
    return file(objects)
  }
}
