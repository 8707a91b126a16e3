import Core

/// Recognises headings by font size, weight and the document's outline.
struct Headings {
  /// The size of running text, points.
  let bodySize: Float
  /// Whether running text itself is bold.
  let isBodyBold: Bool
  /// Sizes of headings, largest first; their rank is the level.
  private let sizes: [Float]
  private let outline: [Int: [String: Int]]

  /// Learns the sizes of a document. `columns` are the columns of all pages.
  init(columns: [[Column]], outline entries: [OutlineEntry]) {
    var weights: [Float: Int] = [:]
    var bold = 0
    var total = 0
    for line in columns.lazy.joined().flatMap(\.rows) {
      weights[Self.rounded(line.size), default: 0] += line.scalars.count
      total += line.scalars.count
      if line.bold > 0.5 { bold += line.scalars.count }
    }
    let body = weights.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 10
    bodySize = body
    isBodyBold = bold * 2 > total
    sizes = Array(weights.keys.filter { $0 >= 1.12 * body }.sorted(by: >))
    var byPage: [Int: [String: Int]] = [:]
    for entry in entries {
      guard let page = entry.page else { continue }
      byPage[page, default: [:]][Self.folded(entry.title)] = entry.level
    }
    outline = byPage
  }

  /// The level of a line that may be a heading by itself; nil for text. `next` is the line below it.
  func level(of line: TextLine, next: TextLine?, isSetOff: Bool, page: Int) -> Int? {
    let letters = line.scalars.lazy.filter(\.properties.isAlphabetic).count
    guard letters >= 2, line.scalars.count <= 160, !line.hasCells || line.size >= 1.12 * bodySize else { return nil }
    if let level = outlineLevel(of: line.text, page: page) { return level }
    guard line.monospaced < 0.5 else { return nil }
    let words = line.scalars.lazy.filter(\.properties.isWhitespace).count + 1
    guard words <= 24, letters * 2 > line.scalars.count - words else { return nil }
    if line.size >= 1.12 * bodySize { return sizeLevel(line.size) }
    guard line.size >= 0.93 * bodySize, words <= 14, let last = line.scalars.last else { return nil }
    guard !".,;".unicodeScalars.contains(last) else { return nil }
    // A bold word that opens a paragraph is not a heading: the line below goes on in the same way.
    let goesOn = next.map { $0.startsBold && $0.bold < 0.9 && $0.size == line.size } ?? false
    if line.bold > 0.9, !isBodyBold, !goesOn { return min(6, sizes.prefix(3).count + 1) }
    let isCapitals = letters >= 5 && line.scalars.allSatisfy { !$0.properties.isLowercase }
    if isCapitals, isSetOff { return min(6, sizes.prefix(3).count + 1) }
    return nil
  }

  /// The outline's level for a text on a page; nil when the outline does not have it there.
  func outlineLevel(of text: String, page: Int) -> Int? {
    guard let titles = outline[page] else { return nil }
    let folded = Self.folded(text)
    guard folded.count >= 3 else { return nil }
    return titles[folded]
      ?? titles.first { $0.key.count >= 6 && (folded.hasSuffix($0.key) && folded.count <= $0.key.count + 12) }?.value
  }

  private func sizeLevel(_ size: Float) -> Int {
    let rank = sizes.firstIndex { Self.rounded(size) >= $0 } ?? sizes.count
    return min(4, rank + 1)
  }

  private static func rounded(_ size: Float) -> Float { (size * 2).rounded() / 2 }

  /// Letters and digits in lower case: outlines and pages differ in spaces and punctuation.
  static func folded(_ text: String) -> String {
    var view = String.UnicodeScalarView()
    for scalar in text.unicodeScalars where scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
      view.append(scalar)
    }
    return String(view).lowercased()
  }
}
