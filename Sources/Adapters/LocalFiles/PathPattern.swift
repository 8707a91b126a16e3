/// A pattern of paths below a root: `*` matches within a name, `?` one character, `**` across names. A pattern
/// without a slash is matched against the last name, as in `.gitignore`.
public struct PathPattern: Sendable, Hashable {
  private let pattern: [Character]
  private let isNameOnly: Bool

  /// Compiles a pattern; every text is one.
  public init(_ text: String) {
    isNameOnly = !text.contains("/")
    pattern = Array(text.hasPrefix("/") ? String(text.dropFirst()) : text)
  }

  /// Whether the pattern matches a path relative to the root, such as `reports/2024/a.pdf`.
  public func matches(_ relativePath: String) -> Bool {
    let subject =
      isNameOnly ? relativePath.split(separator: "/").last.map(String.init) ?? relativePath : relativePath
    return Self.match(pattern, Array(subject))
  }

  /// Dynamic programming over both texts: time is their product, whatever the pattern.
  private static func match(_ pattern: [Character], _ text: [Character]) -> Bool {
    // reached[j] tells whether the pattern read so far can end before text[j].
    var reached = [Bool](repeating: false, count: text.count + 1)
    reached[0] = true
    var place = 0
    while place < pattern.count {
      if pattern[place] == "*" {
        let crosses = place + 1 < pattern.count && pattern[place + 1] == "*"
        place += crosses ? 2 : 1
        // "**/" also stands for no folder at all.
        let atSlash = crosses && place < pattern.count && pattern[place] == "/"
        let before = reached
        for index in text.indices where reached[index] && (crosses || text[index] != "/") {
          reached[index + 1] = true
        }
        if atSlash {
          place += 1
          var next = before
          for index in text.indices where reached[index] && text[index] == "/" { next[index + 1] = true }
          reached = next
        }
        continue
      }
      var next = [Bool](repeating: false, count: text.count + 1)
      for index in text.indices where reached[index] {
        if pattern[place] == "?" ? text[index] != "/" : text[index] == pattern[place] { next[index + 1] = true }
      }
      reached = next
      place += 1
    }
    return reached[text.count]
  }
}
