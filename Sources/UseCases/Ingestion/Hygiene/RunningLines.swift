import Core

/// Finds what is printed on page after page: headers, footers, page numbers, watermarks.
///
/// Lines count as equal when they agree in text modulo digits and letter case, and in place. What repeats at the
/// top or bottom of at least three pages (or both of two) goes; so does what stands alone in the place where
/// most pages have something that goes. A header that names a section (it holds for a run of pages, then another
/// takes over) is not dropped but set aside: it may be the only place where the section's name is printed.
struct RunningLines {
  /// What to do with the lines of one page.
  struct Verdict {
    /// Indexes of lines that leave the page.
    var removed: Set<Int> = []
    /// Indexes of lines, among those removed, that name the page's section.
    var sections: [Int] = []
  }

  private struct Spot {
    var page: Int
    var line: Int
    var top: Float
    var left: Float
  }

  private struct Slot: Hashable {
    var top: Int
    var size: Int
  }

  /// The verdicts on all pages. `pages` are the pieces of lines by page, `labels` the printed labels.
  func verdicts(on pages: [[TextLine]], sizes: [PageSize], labels: [String?]) -> [Verdict] {
    var result = Array(repeating: Verdict(), count: pages.count)
    let edges = pages.indices.map { Self.edgeLines(pages[$0], height: sizes[$0].height) }
    removeRepeated(pages, edges: edges, into: &result)
    removePageNumbers(pages, edges: edges, labels: labels, into: &result)
    removeRestOfSlots(pages, edges: edges, into: &result)
    removeWatermarks(pages, into: &result)
    // Pages that are all alike have no furniture: what repeats is their text.
    let isNothingLeft = pages.indices.allSatisfy { pages[$0].count == result[$0].removed.count }
    return isNothingLeft ? Array(repeating: Verdict(), count: pages.count) : result
  }

  // MARK: - Candidates

  /// Lines in the first four or last three rows and near the edge, with whether they are in an outermost row.
  private static func edgeLines(_ lines: [TextLine], height: Float) -> [Int: Bool] {
    var rows: [(midY: Float, lines: [Int])] = []
    for index in lines.indices.sorted(by: { lines[$0].box.midY < lines[$1].box.midY }) where !lines[index].isRotated {
      if let last = rows.last, lines[index].box.midY - last.midY < 0.5 * lines[index].size {
        rows[rows.count - 1].lines.append(index)
      } else {
        rows.append((lines[index].box.midY, [index]))
      }
    }
    var result: [Int: Bool] = [:]
    for (number, row) in rows.enumerated() {
      let isOuter = number < 2 || number >= rows.count - 2
      let isNear = row.midY < 0.14 * height || row.midY > 0.88 * height
      guard isOuter || (isNear && (number < 4 || number >= rows.count - 3)) else { continue }
      for line in row.lines { result[line] = isOuter }
    }
    return result
  }

  /// The text with digits as `#`, in lower case, without spaces.
  private static func key(_ line: TextLine) -> String {
    var view = String.UnicodeScalarView()
    for scalar in line.scalars where !scalar.properties.isWhitespace {
      if scalar.properties.numericType != nil {
        if view.last != "#" { view.append("#") }
      } else {
        view.append(scalar)
      }
    }
    return String(view).lowercased()
  }

  // MARK: - Rules

  private func removeRepeated(_ pages: [[TextLine]], edges: [[Int: Bool]], into result: inout [Verdict]) {
    var groups: [String: [Spot]] = [:]
    for page in pages.indices {
      for line in edges[page].keys where pages[page][line].scalars.count <= 200 {
        let key = Self.key(pages[page][line])
        guard key != "#" else { continue }
        let box = pages[page][line].box
        groups[key, default: []].append(Spot(page: page, line: line, top: box.top, left: box.left))
      }
    }
    let needed = pages.count == 2 ? 2 : 3
    for spots in groups.values where spots.count >= needed {
      let sorted = spots.sorted { $0.top < $1.top }
      // The largest set of spots at one height.
      var best: ArraySlice<Spot> = []
      var start = 0
      for end in sorted.indices {
        while sorted[end].top - sorted[start].top > 8 { start += 1 }
        if end - start + 1 > best.count { best = sorted[start...end] }
      }
      let on = Set(best.map(\.page))
      guard on.count >= needed else { continue }
      let isSection = Self.namesSection(
        on: on, of: pages.count, line: pages[best[best.startIndex].page][best[best.startIndex].line])
      for spot in best {
        result[spot.page].removed.insert(spot.line)
        if isSection { result[spot.page].sections.append(spot.line) }
      }
    }
  }

  /// Whether a header holds for a run of pages that is not the whole document.
  private static func namesSection(on pages: Set<Int>, of count: Int, line: TextLine) -> Bool {
    let neighbours = pages.lazy.filter { pages.contains($0 + 1) }.count
    let letters = line.scalars.lazy.filter(\.properties.isAlphabetic).count
    return pages.count * 10 < count * 7 && neighbours * 2 >= pages.count && letters >= 4 && line.scalars.count <= 80
  }

  private func removePageNumbers(
    _ pages: [[TextLine]], edges: [[Int: Bool]], labels: [String?], into result: inout [Verdict]
  ) {
    var offsets: [Int: Set<Int>] = [:]
    var numbers: [(page: Int, line: Int, offset: Int)] = []
    for page in pages.indices {
      for (line, isOuter) in edges[page] where isOuter {
        guard let value = Self.pageNumber(pages[page][line].text) else { continue }
        if let label = labels[page], Self.pageNumber(label) == value { result[page].removed.insert(line) }
        numbers.append((page, line, value - page))
        offsets[value - page, default: []].insert(page)
      }
    }
    for number in numbers where offsets[number.offset, default: []].count >= 3 || number.offset == 1 {
      result[number.page].removed.insert(number.line)
    }
  }

  /// The number of a line that is only a page number: `12`, `- 12 -`, `xiv`, `Page 3 of 9`; else nil.
  static func pageNumber(_ text: String) -> Int? {
    var words = text.lowercased().split {
      $0 == " " || $0 == "\t" || $0 == "-" || $0 == "\u{2013}" || $0 == "|" || $0 == "/"
    }
    if let first = words.first, ["page", "p.", "seite", "página", "s."].contains(first) { words.removeFirst() }
    guard let first = words.first else { return nil }
    let rest = words.dropFirst().filter { $0 != "of" && $0 != "von" && $0 != "de" }
    guard rest.count <= 1, rest.allSatisfy({ Int($0) != nil }) else { return nil }
    if let value = Int(first), value >= 0, first.count <= 6 { return value }
    return roman(first)
  }

  private static func roman(_ text: Substring) -> Int? {
    let values: [Character: Int] = ["i": 1, "v": 5, "x": 10, "l": 50, "c": 100]
    let digits = text.compactMap { values[$0] }
    guard digits.count == text.count, digits.count <= 8, !digits.isEmpty else { return nil }
    var sum = 0
    for (index, digit) in digits.enumerated() {
      sum += index + 1 < digits.count && digits[index + 1] > digit ? -digit : digit
    }
    return sum
  }

  /// Where most pages have a line that goes, the others' lines in that place go too: chapter titles that change
  /// every page or two.
  private func removeRestOfSlots(_ pages: [[TextLine]], edges: [[Int: Bool]], into result: inout [Verdict]) {
    guard pages.count >= 5 else { return }
    func slot(_ line: TextLine) -> Slot {
      Slot(top: Int((line.box.top / 3).rounded()), size: Int((line.size * 2).rounded()))
    }
    var lines: [Slot: [(page: Int, line: Int)]] = [:]
    for page in pages.indices {
      for line in edges[page].keys { lines[slot(pages[page][line]), default: []].append((page, line)) }
    }
    for spots in lines.values {
      let on = Set(spots.map(\.page)).count
      let gone = spots.filter { result[$0.page].removed.contains($0.line) }.count
      guard on * 10 >= pages.count * 6, gone * 10 >= spots.count * 7 else { continue }
      for spot in spots where pages[spot.page][spot.line].scalars.count <= 120 {
        if result[spot.page].removed.insert(spot.line).inserted, edges[spot.page][spot.line] == true,
          pages[spot.page][spot.line].scalars.lazy.filter(\.properties.isAlphabetic).count >= 4
        {
          result[spot.page].sections.append(spot.line)
        }
      }
    }
  }

  /// The same piece in the same place anywhere on half of the pages, and not of the body: a watermark or frame.
  private func removeWatermarks(_ pages: [[TextLine]], into result: inout [Verdict]) {
    guard pages.count >= 3 else { return }
    struct Place: Hashable {
      var text: String
      var isStamp: Bool
      var x: Int
      var y: Int
    }
    var places: [Place: [(page: Int, line: Int)]] = [:]
    for page in pages.indices where !pages[page].isEmpty {
      let sizes = pages[page].map(\.size).sorted()
      let usual = sizes[sizes.count / 2]
      for (index, line) in pages[page].enumerated()
      where !result[page].removed.contains(index) && line.scalars.count <= 120 {
        // Large or rotated type repeated is a stamp wherever it lies; other text only in one place.
        let isStamp = line.isRotated || line.size > 1.6 * usual && line.scalars.count >= 8
        let place = Place(
          text: Self.key(line), isStamp: isStamp, x: isStamp ? 0 : Int((line.box.left / 4).rounded()),
          y: isStamp ? 0 : Int((line.box.top / 4).rounded()))
        places[place, default: []].append((page, index))
      }
    }
    for (place, spots) in places where spots.count >= 3 {
      guard spots.count * (place.isStamp ? 5 : 2) >= pages.count else { continue }
      for spot in spots { result[spot.page].removed.insert(spot.line) }
    }
  }
}
