import PDFPipe

extension FontMessage {
  /// Tells the style from an embedded font's PostScript name, such as `ABCDEF+NimbusRomNo9L-MediItal` (the prefix of
  /// six capitals marks a subset: PDF 32000-1, 9.6.4).
  init(embeddedName: String) {
    var name = Substring(embeddedName)
    if let plus = name.firstIndex(of: "+"), name.distance(from: name.startIndex, to: plus) == 6 {
      name = name[name.index(after: plus)...]
    }
    let folded = name.lowercased()
    // Latin Modern and Computer Modern say their style in abbreviations: cmbx, cmti, cmtt and so on.
    let short = folded.hasPrefix("cm") || folded.hasPrefix("lm") || folded.hasPrefix("sf") ? folded.dropFirst(2) : ""
    func has(_ words: [String], _ abbreviations: [String]) -> Bool {
      words.contains { folded.contains($0) } || abbreviations.contains { short.hasPrefix($0) }
    }
    self.init(
      name: String(name),
      isBold: has(
        ["bold", "black", "heavy", "-medi", "-demi", "semibold", "-bd"], ["bx", "b1", "ssbx", "roman-bold"]),
      isItalic: has(["italic", "oblique", "ital", "slanted", "-it", "-obli"], ["ti", "sl", "bxti", "mi", "ssi"]),
      isMonospaced: has(
        [
          "mono", "courier", "consol", "typewriter", "menlo", "nimbusmon", "inconsolata", "sourcecode", "cursor",
          "typewr",
        ], ["tt", "tk"]))
  }
}
