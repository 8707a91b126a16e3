import Core

/// Rebuilds lines from glyph geometry: the extractor's order is followed only while the geometry agrees.
struct LineBuilder {
  let rules: Set<HygieneRule>

  /// The pieces of lines of a page, in the extractor's order. `glyphs` holds nil where the extractor wrote a
  /// space and `lineEnds` the indexes before which it ended a line.
  func lines(glyphs: [Glyph?], lineEnds: Set<Int>) -> [TextLine] {
    if rules.contains(.verticalText), let columns = VerticalText.lines(of: glyphs) { return columns }
    var result: [TextLine] = []
    var start = 0
    for index in 0...glyphs.count where index == glyphs.count || lineEnds.contains(index) {
      if index > start { append(glyphs[start..<index], to: &result) }
      start = index
    }
    return result
  }

  private func append(_ run: ArraySlice<Glyph?>, to result: inout [TextLine]) {
    if rules.contains(.rotatedText), Self.isRotated(run) {
      var line = Self.line(run)
      line?.isRotated = true
      if let line { result.append(line) }
      return
    }
    let isMixed = rules.contains(.rightToLeft) && RightToLeftWords.applies(to: run)
    let run = isMixed ? RightToLeftWords.repaired(run) : run
    var start = run.startIndex
    var previous: Glyph?
    var hadSpace = false
    for index in run.indices {
      guard let glyph = run[index] else {
        hadSpace = true
        continue
      }
      if let last = previous, Self.isBreak(last, glyph, hadSpace: hadSpace, isMixed: isMixed) {
        if let line = Self.line(run[start..<index], isMixed: isMixed) { result.append(line) }
        start = index
      }
      previous = glyph
      hadSpace = false
    }
    if let line = Self.line(run[start..<run.endIndex], isMixed: isMixed) { result.append(line) }
  }

  /// Whether `next` cannot stand on the same piece of line as `last`.
  private static func isBreak(_ last: Glyph, _ next: Glyph, hadSpace: Bool, isMixed: Bool) -> Bool {
    let overlap = min(last.box.bottom, next.box.bottom) - max(last.box.top, next.box.top)
    let height = min(last.box.height, next.box.height)
    if overlap < 0.25 * height { return true }
    let size = max(last.size, next.size)
    let gap = next.box.left - last.box.right
    if gap >= 0 { return gap > 1.1 * size }
    // Backwards is right only for scripts that run so; overlapping glyphs (accents, kerning) are fine.
    let back = last.box.left - next.box.right
    // A number or Latin word among words from right to left is entered and left by a jump over it.
    if isMixed, !Script.isRightToLeft(next.scalar) || !Script.isRightToLeft(last.scalar) { return back > 8 * size }
    if Script.isRightToLeft(next.scalar) || Script.isRightToLeft(last.scalar) || (hadSpace && back >= 0 && back < size)
    {
      return back > 1.1 * size
    }
    return next.box.left < last.box.left - 0.8 * size
  }

  private static func line(_ run: ArraySlice<Glyph?>, isMixed: Bool = false) -> TextLine? {
    var glyphs: [Glyph] = []
    glyphs.reserveCapacity(run.count)
    var spaces: Set<Int> = []
    var pending = false
    for element in run {
      guard let glyph = element else {
        pending = !glyphs.isEmpty
        continue
      }
      if let last = glyphs.last {
        let gap = max(glyph.box.left - last.box.right, last.box.left - glyph.box.right)
        if pending || !isMixed && gap > 0.6 * max(last.size, glyph.size) { spaces.insert(glyphs.count) }
      }
      pending = false
      glyphs.append(glyph)
    }
    return glyphs.isEmpty ? nil : TextLine(glyphs: glyphs, spaces: spaces)
  }

  /// Whether the run's glyphs follow each other up or down the page, or leftwards in a left-to-right script.
  private static func isRotated(_ run: ArraySlice<Glyph?>) -> Bool {
    var across: Float = 0
    var down: Float = 0
    var forward = 0
    var backward = 0
    var previous: Glyph?
    for case let glyph? in run {
      if let last = previous {
        across += abs(glyph.box.midX - last.box.midX)
        down += abs(glyph.box.midY - last.box.midY)
        if !Script.isRightToLeft(glyph.scalar), glyph.scalar.properties.isAlphabetic,
          last.scalar.properties.isAlphabetic
        {
          if glyph.box.midX >= last.box.midX { forward += 1 } else { backward += 1 }
        }
      }
      previous = glyph
    }
    let count = run.lazy.filter { $0 != nil }.count
    if count >= 3, down > 3 * across { return true }
    return backward >= 4 && backward > 4 * forward && down < across
  }
}
