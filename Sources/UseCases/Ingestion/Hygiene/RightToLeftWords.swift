import Core

/// Gives the letters of Hebrew, Arabic and their neighbours the boxes that they have on the page.
///
/// Poppler hands out such words in logical order but their boxes from left to right, so that the first letter has
/// the box of the last. The boxes of a word are taken as a set and dealt out again as the word is seen: from right
/// to left, numbers and Latin letters in it from left to right (the reordering of the Unicode Bidirectional
/// Algorithm, UAX #9, for one level of embedding).
enum RightToLeftWords {
  /// A run of glyphs of one line with the boxes of its right-to-left words dealt out again; nil stands for spaces.
  static func repaired(_ run: ArraySlice<Glyph?>) -> ArraySlice<Glyph?> {
    guard applies(to: run) else { return run }
    var result: [Glyph?] = []
    var word: [Glyph] = []
    func close() {
      let isRepaired = word.contains { Script.isRightToLeft($0.scalar) } && isOneLine(word)
      result += isRepaired ? dealt(inLogicalOrder(word)) : word
      word = []
    }
    for element in run {
      guard let glyph = element else {
        close()
        result.append(nil)
        continue
      }
      if let last = word.last, Script.isRightToLeft(glyph.scalar),
        word.contains(where: { Script.isRightToLeft($0.scalar) }),
        isApart(last, glyph)
      {
        // Poppler leaves out the first space of such a line.
        close()
        result.append(nil)
      }
      word.append(glyph)
    }
    close()
    return result[...]
  }

  /// Whether two glyphs of a line do not touch, whichever is on the left; the narrowest spaces of type are a sixth of
  /// its size.
  private static func isApart(_ one: Glyph, _ next: Glyph) -> Bool {
    max(next.box.left - one.box.right, one.box.left - next.box.right) > 0.12 * max(one.size, next.size)
  }

  /// Whether a run has letters written from right to left.
  static func applies(to run: ArraySlice<Glyph?>) -> Bool {
    run.contains { $0.map { Script.isRightToLeft($0.scalar) } ?? false }
  }

  private static func isOneLine(_ word: [Glyph]) -> Bool {
    zip(word, word.dropFirst()).allSatisfy { one, next in
      let overlap = min(one.box.bottom, next.box.bottom) - max(one.box.top, next.box.top)
      return overlap >= 0.25 * min(one.box.height, next.box.height)
    }
  }

  /// A word that a font packs into one glyph has been taken apart from left to right, and then turned around like
  /// words of several glyphs: it is turned back.
  private static func inLogicalOrder(_ word: [Glyph]) -> [Glyph] {
    let isPacked =
      word.count > 1
      && word.allSatisfy {
        Script.isRightToLeft($0.scalar) && $0.box.width < 0.15 * $0.size
          && $0.box.width > 0.6 * word[0].box.width && $0.box.width < 1.7 * word[0].box.width
      }
    return isPacked ? word.reversed() : word
  }

  private static func dealt(_ word: [Glyph]) -> [Glyph] {
    let boxes = word.map(\.box).enumerated().sorted {
      $0.element.midX == $1.element.midX ? $0.offset < $1.offset : $0.element.midX < $1.element.midX
    }.map(\.element)
    var result = word
    for (place, index) in seenOrder(of: word).enumerated() { result[index].box = boxes[place] }
    return result
  }

  /// The indexes of the word's glyphs from left to right as they are seen.
  private static func seenOrder(of word: [Glyph]) -> [Int] {
    let strong = word.first { $0.scalar.properties.isAlphabetic }
    let beginsRightToLeft = strong.map { Script.isRightToLeft($0.scalar) } ?? true
    // Runs of what is read from left to right, and of the rest.
    var runs: [(isLeftToRight: Bool, indexes: [Int])] = []
    for (index, glyph) in word.enumerated() {
      let isLetter = glyph.scalar.properties.isAlphabetic
      let isNumber = glyph.scalar.properties.numericType != nil
      let isLeftToRight: Bool
      if Script.isRightToLeft(glyph.scalar), !isNumber {
        isLeftToRight = false
      } else if isLetter || isNumber {
        isLeftToRight = true
      } else {
        // A mark between figures or Latin letters belongs to them, any other to the word.
        let next = index + 1 < word.count ? word[index + 1].scalar : nil
        let goesOn =
          next.map { !Script.isRightToLeft($0) && ($0.properties.isAlphabetic || $0.properties.numericType != nil) }
          ?? false
        isLeftToRight = (runs.last?.isLeftToRight ?? false) && goesOn || !beginsRightToLeft && goesOn
      }
      if runs.last?.isLeftToRight == isLeftToRight {
        runs[runs.count - 1].indexes.append(index)
      } else {
        runs.append((isLeftToRight, [index]))
      }
    }
    let ordered = beginsRightToLeft ? runs.reversed() : runs
    return ordered.flatMap { $0.isLeftToRight ? $0.indexes : $0.indexes.reversed() }
  }
}
