package import Core

/// The words of an image as a page of glyphs, so that hygiene, chunks and highlights work as for any other page.
///
/// A recognizer gives boxes of words: a word's width is shared out among its characters. Boxes are in parts of the
/// image, and the image is the page as displayed, so they become points by the page's displayed size, whatever its
/// resolution, rotation, crop box or user unit.
package struct RecognizedText {
  /// Names these rules, for the pipeline version.
  static let version = "words-1"
  /// Type size over the height of a word: most words reach from base line to ascender, some below it.
  private static let sizeOverHeight: Float = 1.3

  private let words: [RecognizedWord]

  package init(_ words: [RecognizedWord]) {
    self.words = words.filter { word in
      let box = word.box
      return [box.left, box.top, box.right, box.bottom].allSatisfy { $0.isFinite && $0 >= -0.01 && $0 <= 1.01 }
        && box.width > 0 && box.height > 0
        && word.text.unicodeScalars.contains {
          !$0.properties.isWhitespace && $0.properties.generalCategory != .control
        }
    }
  }

  package var isEmpty: Bool { words.isEmpty }

  /// The mean confidence of characters, 0 to 1.
  package var confidence: Float {
    var sum: Float = 0
    var count: Float = 0
    for word in words where word.confidence.isFinite {
      let length = Float(word.text.unicodeScalars.count)
      sum += min(1, max(0, word.confidence)) * length
      count += length
    }
    return count > 0 ? sum / count : 0
  }

  /// `page` with this text in place of its own.
  package func page(like page: ExtractedPage) -> ExtractedPage {
    let sizes = typeSizes(height: page.size.height)
    var scalars: [Unicode.Scalar] = []
    var boxes: [Box?] = []
    var fonts: [FontRun] = []
    var last: RecognizedWord?
    for word in words {
      if let last {
        scalars.append(last.line == word.line ? " " : "\n")
        boxes.append(nil)
      }
      let start = scalars.count
      let size = sizes[word.paragraph] ?? 10
      let characters = word.text.unicodeScalars.filter {
        !$0.properties.isWhitespace && $0.properties.generalCategory != .control
      }
      let box = points(word, on: page.size, size: size)
      let width = box.width / Float(characters.count)
      for (index, scalar) in characters.enumerated() {
        scalars.append(scalar)
        boxes.append(
          Box(
            left: box.left + width * Float(index), top: box.top, right: box.left + width * Float(index + 1),
            bottom: box.bottom))
      }
      if let run = fonts.last, run.size == size {
        fonts[fonts.count - 1].range = run.range.lowerBound..<scalars.count
      } else {
        fonts.append(FontRun(range: start..<scalars.count, name: "", size: size))
      }
      last = word
    }
    return ExtractedPage(
      number: page.number, label: page.label, size: page.size, scalars: scalars, boxes: boxes, fonts: fonts,
      warnings: page.warnings)
  }

  /// A word's box in points. A dash or a full stop by itself is given the height of a letter: by its own it would
  /// stand on no line.
  private func points(_ word: RecognizedWord, on page: PageSize, size: Float) -> Box {
    func clamped(_ part: Float) -> Float { min(1, max(0, part)) }
    var box = Box(
      left: clamped(word.box.left) * page.width, top: clamped(word.box.top) * page.height,
      right: clamped(word.box.right) * page.width, bottom: clamped(word.box.bottom) * page.height)
    let least = 0.5 * size
    if box.height < least {
      let middle = box.midY
      box.top = max(0, middle - least / 2)
      box.bottom = min(page.height, middle + least / 2)
    }
    return box
  }

  /// The type size of each paragraph, points: heights of single words and lines say too little, since they depend
  /// on the letters. Sizes near that of most of the page are taken for it, or noise would make headings.
  private func typeSizes(height: Float) -> [Int: Float] {
    var heights: [Int: [Float]] = [:]
    for word in words where word.text.contains(where: { $0.isLetter || $0.isNumber }) {
      heights[word.paragraph, default: []].append(word.box.height * height * Self.sizeOverHeight)
    }
    func median(_ values: [Float]) -> Float { values.sorted()[values.count / 2] }
    let all = heights.values.joined()
    guard !all.isEmpty else { return [:] }
    let usual = median(Array(all))
    return heights.mapValues { values in
      let size = median(values)
      return size > 0.8 * usual && size < 1.25 * usual ? usual : size
    }
  }
}
