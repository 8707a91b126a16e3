import Configuration
import Testing

@Suite struct YAMLTests {
  private func refusal(_ text: String) -> String? {
    do {
      _ = try YAMLNode.parse(text, name: "q.yaml")
      return nil
    } catch { return error.message }
  }

  @Test func readsMapsListsAndScalars_withTheirPlaces() throws {
    let text = """
      # comment
      a: 1
      b:
        - x
        - {c: "2", d: [~]}
      text: |
        one
        two
      """
    let root = try #require(try YAMLNode.parse(text, name: "q.yaml"))
    func scalar(_ text: String, plain: Bool = true, _ line: Int, _ column: Int) -> YAMLNode {
      YAMLNode(.scalar(text, isPlain: plain), at: .init(line: line, column: column))
    }
    func entry(_ key: String, _ value: YAMLNode, _ line: Int, _ column: Int) -> YAMLNode.Entry {
      YAMLNode.Entry(key: key, mark: .init(line: line, column: column), value: value)
    }
    let inner = YAMLNode(
      .map([
        entry("c", scalar("2", plain: false, 5, 9), 5, 6),
        entry("d", YAMLNode(.list([scalar("~", 5, 18)]), at: .init(line: 5, column: 17)), 5, 14),
      ]), at: .init(line: 5, column: 5))
    let expected = YAMLNode(
      .map([
        entry("a", scalar("1", 2, 4), 2, 1),
        entry("b", YAMLNode(.list([scalar("x", 4, 5), inner]), at: .init(line: 4, column: 3)), 3, 1),
        entry("text", scalar("one\ntwo", plain: false, 6, 7), 6, 1),
      ]), at: .init(line: 2, column: 1))
    #expect(root == expected)
  }

  @Test func readsNothing_whenTheTextHoldsNothing() throws {
    for text in ["", "\n\n", "# only a comment\n", "---\n"] {
      #expect(try YAMLNode.parse(text, name: "q.yaml") == nil)
    }
  }

  @Test(arguments: [
    ("a: &x 1", "line 1, column 4: anchors ('&') are not read; write the value out"),
    ("a: &x {b: 1}", "line 1, column 4: anchors ('&') are not read; write the value out"),
    ("b: 1\na: *x", "line 2, column 4: aliases ('*') are not read; write the value out"),
    ("a: !!str 1", "line 1, column 4: tags ('!') are not read; the key decides the type"),
    ("a: ! 1", "line 1, column 4: tags ('!') are not read; the key decides the type"),
    ("a: !x [1]", "line 1, column 4: tags ('!') are not read; the key decides the type"),
    ("a: 1\nb: 2\na: 3", "line 3, column 1: a: duplicate key; it is set in line 1 already"),
    ("x:\n  a: 1\n  a: 3", "line 3, column 3: a: duplicate key; it is set in line 2 already"),
    ("a: 1\n---\nb: 2", "line 2, column 1: a second document ('---') is not read; keep one"),
    ("%YAML 1.1\n---\na: 1", "line 1, column 1: directives ('%') are not read"),
    ("[a]: 1", "line 1, column 1: a key must be a word, not a list or a map"),
    (
      "a:\n\tb: 1",
      "line 2, column 1: tab character; indent and separate with spaces (a tab in a value is written \"\\t\")"
    ),
    (
      "ä: x\ty",
      "line 1, column 5: tab character; indent and separate with spaces (a tab in a value is written \"\\t\")"
    ),
  ])
  func refusesWhatTheSubsetLeavesOut(text: String, message: String) {
    #expect(refusal(text) == "q.yaml: \(message)")
  }

  @Test(arguments: [
    ("a: [1, 2", 1), ("a: 1\n b: 2", 2), ("a: 'x", 1), ("a: \"\\q\"", 1), ("a: 1\nb: }", 2), ("a: \u{1}", 1),
    ("a: b: c", 1),
  ])
  func namesTheLine_whenTheTextIsNoYAML(text: String, line: Int) throws {
    let message = try #require(refusal(text))
    #expect(message.hasPrefix("q.yaml: line \(line), column ") || message.hasPrefix("q.yaml: line \(line + 1), "))
  }

  @Test func readsThirtyTwoLevels_andRefusesMore() throws {
    let deep = { (levels: Int) in String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
    #expect(refusal(deep(32)) == nil)
    #expect(refusal(deep(33)) == "q.yaml: line 1, column 33: nested deeper than 32 levels")
    // A bomb of nesting is refused at once: it does not grow the stack.
    #expect(
      refusal(String(repeating: "[", count: 1 << 20)) == "q.yaml: line 1, column 33: nested deeper than 32 levels")
    #expect(refusal(String(repeating: "{a: ", count: 1000))?.contains("nested deeper") == true)
  }

  @Test func refusesMoreThanAMebibyte_namingThePlace() {
    let line = "# " + String(repeating: "x", count: 61) + "\n"
    let text = String(repeating: line, count: (1 << 20) / 64)
    #expect(refusal(text) == nil)
    #expect(refusal(text + "y") == "q.yaml: line 16385, column 1: the text is longer than 1048576 bytes")
  }

  @Test func refusesBytesThatAreNoUTF8() {
    #expect(throws: ConfigurationError.self) {
      _ = try YAMLNode.parse(bytes: Array("a: 1\nb: ".utf8) + [0xFF], name: "q.yaml")
    }
    do {
      _ = try YAMLNode.parse(bytes: Array("a: 1\nb: ".utf8) + [0xFF], name: "q.yaml")
    } catch {
      #expect(error.message.hasPrefix("q.yaml: line 2, column 4: "))
    }
  }

  @Test func survivesDamagedText_namingThePlaceWheneverItRefuses() throws {
    let original = Array("a: [1, {b: 'x', c: \"y\"}]\nd:\n  - |\n    text\n  - e: ~\n? f\n: g\n# é\n--- \n".utf8)
    var random = SplitMix(state: 7)
    var refused = 0
    for _ in 0..<3000 {
      var bytes = original
      for _ in 0...Int(random.next() % 4) {
        let place = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 3 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[place...].prefix(Int(random.next() % 9)), at: place)
        }
      }
      do { _ = try YAMLNode.parse(bytes: bytes, name: "q.yaml") } catch {
        refused += 1
        #expect(error.code == "configuration.syntax")
        #expect(error.message.hasPrefix("q.yaml: line "))
      }
    }
    #expect(refused > 100)
  }

  @Test(arguments: [
    "", " ", "plain", "a b", "true", "No", "null", "~", "1", "1e3", "-", "- x", "a: b", "a:", "#c", "a#b", "@x", "&a",
    "\"q\"", "it's", "tab\there", "line\nbreak", "\u{1}", "ünï", "s3://bucket/prefix", "/path/to", "a,b", "[x]",
    "{x}", "*", "!t", "%", "C:\\x", "€", "日本語", "\u{85}", ".5", "0x1F", "2024-01-01", "<<", "=", "?", "? x", "`",
  ])
  func writesScalars_thatReadBackAsTheSameText(text: String) throws {
    let written = yamlScalar(text)
    for document in ["k: \(written)\n", "k: [\(written)]\n"] {
      guard case .map(let entries)? = try YAMLNode.parse(document, name: "x")?.content else {
        Issue.record("\(document) is no map")
        continue
      }
      let value = entries[0].value
      switch value.content {
      case .scalar(let read, _): #expect(read == text)
      case .list(let items): #expect(items.map(\.content.text) == [text])
      case .map: Issue.record("\(document) is a map")
      }
      if ["true", "No", "null", "~", "1", "1e3", ".5"].contains(text) { #expect(written.hasPrefix("\"")) }
    }
  }
}

extension YAMLNode.Content {
  fileprivate var text: String? {
    guard case .scalar(let text, _) = self else { return nil }
    return text
  }
}

/// Sebastiano Vigna's SplitMix64, so that a failure repeats.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
