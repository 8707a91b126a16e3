import Core

/// Sets rotated text apart: stamps in the margin and labels of axes interrupt sentences.
enum RotatedText {
  /// The upright lines and the rotated ones of a page. A page that is mostly rotated (a landscape table on an
  /// upright sheet) is turned so that its lines read across.
  static func split(_ lines: [TextLine], removed: Set<Int>) -> (upright: [TextLine], rotated: [TextLine]) {
    let kept = lines.indices.filter { !removed.contains($0) }.map { lines[$0] }
    let rotated = kept.filter(\.isRotated)
    guard !rotated.isEmpty else { return (kept, []) }
    let rotatedGlyphs = rotated.lazy.map(\.scalars.count).reduce(0, +)
    let allGlyphs = kept.lazy.map(\.scalars.count).reduce(0, +)
    guard rotatedGlyphs * 2 > allGlyphs, rotated.count > 3 else { return (kept.filter { !$0.isRotated }, rotated) }
    // The extractor's order is the best there is for such pages: lines follow it, one below the other.
    var upright: [TextLine] = []
    for (index, line) in kept.enumerated() {
      var turned = line
      let top = Float(index) * 1.2 * line.size
      turned.box = Box(left: 0, top: top, right: max(line.box.height, line.box.width), bottom: top + line.size)
      turned.isRotated = false
      upright.append(turned)
    }
    return (upright, [])
  }
}
