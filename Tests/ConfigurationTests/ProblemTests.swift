import Configuration
import Testing

@Suite struct ProblemTests {
  /// Asks for a usual set of keys.
  private func problems(
    _ text: String = "", defaults: String = "", environment: [String: String] = [:], flags: [String: String] = [:]
  ) throws -> [String] {
    let reader = try reader(text, defaults: defaults, environment: environment, flags: flags)
    _ = reader.value("app", .nonEmptyString, default: "quarry", doc: "d")
    _ = reader.value("search.mode", .string, default: "hybrid", doc: "d")
    _ = reader.value("retrieval.topK", .int(in: 1...100), default: 5, doc: "d")
    _ = reader.value("retrieval.weight", .double(in: 0...1), default: 0.5, doc: "d")
    _ = reader.value("server.port", .int(in: 1...65535), default: 8080, doc: "d")
    _ = reader.value("server.timeout", .duration(in: .seconds(1) ... .seconds(60)), default: .seconds(30), doc: "d")
    _ = reader.value("server.tls", .bool, default: false, doc: "d")
    _ = reader.value("store.engine", .oneOf(Engine.self), default: .faiss, doc: "d")
    _ = reader.value("names", .list(of: .int(in: 0...9)), default: [], doc: "d")
    _ = reader.value("labels", .map(of: .int()), default: [:], doc: "d")
    return messages(reader)
  }

  @Test(arguments: [
    ("app: x\n\n# c\nserch:\n  mode: x", "line 4, column 1: serch: unknown key; did you mean 'search'?"),
    ("retrieval:\n  topk: 3", "line 2, column 3: retrieval.topk: unknown key; did you mean 'retrieval.topK'?"),
    ("topK: 3", "line 1, column 1: topK: unknown key; did you mean 'retrieval.topK'?"),
    ("elephant: 3", "line 1, column 1: elephant: unknown key"),
    (
      "retrieval.topK: 3",
      "line 1, column 1: retrieval.topK: unknown key; write it as nested maps, one for each part between the dots"
    ),
    ("retrieval: 3", "line 1, column 12: retrieval: must be a map of keys, not '3'"),
    ("retrieval: {topK: x}", "line 1, column 19: retrieval.topK: must be an integer from 1 to 100, not 'x'"),
    ("retrieval: {topK: 0}", "line 1, column 19: retrieval.topK: must be an integer from 1 to 100, not '0'"),
    (
      "retrieval: {topK: '5'}",
      "line 1, column 19: retrieval.topK: must be an integer from 1 to 100, not text in quotes"
    ),
    ("retrieval: {topK: [1]}", "line 1, column 19: retrieval.topK: must be an integer from 1 to 100, not a list"),
    ("retrieval: {weight: 1.5}", "line 1, column 21: retrieval.weight: must be a number from 0.0 to 1.0, not '1.5'"),
    ("retrieval: {weight: .nan}", "line 1, column 21: retrieval.weight: must be a number from 0.0 to 1.0, not '.nan'"),
    ("app: ''", "line 1, column 6: app: must be text that is not empty, not ''"),
    ("server: {tls: yes}", "line 1, column 15: server.tls: must be true or false, not 'yes'"),
    (
      "server: {timeout: 30}",
      "line 1, column 19: server.timeout: must be a duration such as '30s' or '5m' from 1s to 1m, not '30'"
    ),
    (
      "store: {engine: fais}",
      "line 1, column 17: store.engine: must be one of faiss, lucene, not 'fais'; did you mean 'faiss'?"
    ),
    ("names: [1, 2,\n  x]", "line 2, column 3: names: item 3 must be an integer from 0 to 9, not 'x'"),
    ("names: 1", "line 1, column 8: names: must be a list, each an integer from 0 to 9, not '1'"),
    ("labels: {a: 1, b: x}", "line 1, column 19: labels: 'b' must be an integer, not 'x'"),
  ])
  func namesPlaceKeyAndReason(text: String, message: String) throws {
    #expect(try problems(text) == ["quarry.yaml: \(message)"])
  }

  @Test(arguments: [
    ("QUARRY_SERVER_PROT", "1", "QUARRY_SERVER_PROT: unknown environment variable; did you mean 'QUARRY_SERVER_PORT'?"),
    ("QUARRY_ELEPHANT", "1", "QUARRY_ELEPHANT: unknown environment variable"),
    ("QUARRY_SERVER_PORT", "x", "QUARRY_SERVER_PORT: server.port: must be an integer from 1 to 65535, not 'x'"),
    ("QUARRY_NAMES", "1,x", "QUARRY_NAMES: names: item 2 must be an integer from 0 to 9, not 'x'"),
    ("QUARRY_NAMES", "[1", nil), ("QUARRY_LABELS", "a", nil),
    ("QUARRY_LABELS", "a=1,a=2", "QUARRY_LABELS: labels: names 'a' twice"),
  ])
  func namesTheVariable(name: String, value: String, message: String?) throws {
    let problems = try problems(environment: [name: value, "HOME": "/", "QUARRY_CONFIG": "c"])
    #expect(problems.count == 1)
    if let message { #expect(problems == [message]) } else { #expect(problems[0].hasPrefix("\(name): ")) }
  }

  @Test func namesFlagsAndDefaults() throws {
    #expect(
      try problems(flags: ["server.prt": "1"]) == [
        "command line: server.prt: unknown key; did you mean 'server.port'?"
      ])
    #expect(
      try problems(flags: ["server.port": "99999"]) == [
        "command line: server.port: must be an integer from 1 to 65535, not '99999'"
      ])
    #expect(try problems(defaults: "gone: 1") == ["configuration: gone: unknown key in the built-in defaults"])
  }

  @Test func reportsAllAtOnce_inReadingOrder() throws {
    let reader = try reader(
      "b: x\nzzz: 1\na: y", environment: ["QUARRY_UNKNOWN_THING": "1", "QUARRY_C": "z"], flags: ["d": "w"])
    for key in ["a", "b", "c", "d"] { _ = reader.value(key, .int(), default: 0, doc: "d") }
    _ = reader.required("e", .int(in: 3...5), doc: "d")
    reader.reject("a", "must not be odd")
    do {
      try reader.finish()
      Issue.record("finish() accepted five problems")
    } catch {
      #expect(error.code == "configuration.invalid")
      #expect(
        error.message == """
          configuration: e: is not set; set it in the file or as QUARRY_E
          quarry.yaml: line 1, column 4: b: must be an integer, not 'x'
          quarry.yaml: line 2, column 1: zzz: unknown key
          quarry.yaml: line 3, column 4: a: must be an integer, not 'y'
          quarry.yaml: line 3, column 4: a: must not be odd
          QUARRY_C: c: must be an integer, not 'z'
          QUARRY_UNKNOWN_THING: unknown environment variable
          command line: d: must be an integer, not 'w'
          """)
    }
  }

  @Test func keepsTheDefault_whenAValueIsWrong() throws {
    let reader = try reader("a: x")
    #expect(reader.value("a", .int(), default: 4, doc: "d") == 4)
    #expect(reader.required("b", .int(in: 3...5), doc: "d") == 3)
  }

  @Test func reportsKeysThatShareAVariable() throws {
    let reader = try reader()
    _ = reader.optional("a.bC", .string, doc: "d")
    _ = reader.optional("a.b.c", .string, doc: "d")
    #expect(messages(reader) == ["configuration: a.b.c: shares the environment variable QUARRY_A_B_C with a.bC"])
  }

  @Test func namesRequiredKeysOfItems_atTheItem() throws {
    let reader = try reader("sources:\n  - uri: /a\n  - include: x")
    _ = reader.list("sources", doc: "d") { item in
      _ = item.optional("include", .string, doc: "d")
      _ = item.required("uri", .string, doc: "d")
      if item.origin(of: "include").description != "quarry.yaml:2" { item.reject("include", "must not be x") }
    }
    #expect(
      messages(reader) == [
        "quarry.yaml: line 3, column 5: sources[1].uri: is not set",
        "quarry.yaml: line 3, column 14: sources[1].include: must not be x",
      ])
  }

  @Test func answersAtOnce_whenThousandsOfKeysAreUnknown() throws {
    let reader = try reader((0..<50_000).map { "serch\($0): 1\n" }.joined())
    _ = reader.value("search", .int(), default: 0, doc: "d")
    #expect(reader.problems.count == 50_000)
  }

  @Test func refusesAFileThatIsNoMap_orCannotBeRead() {
    #expect(throws: ConfigurationError.self) { try ConfigurationFile(name: "q", text: "- a") }
    do {
      _ = try ConfigurationFile(path: "/nonexistent/quarry.yaml")
      Issue.record("a missing file was read")
    } catch {
      #expect(error.code == "configuration.unreadable")
      #expect(error.message == "/nonexistent/quarry.yaml: No such file or directory")
    }
    #expect(throws: ConfigurationError.self) { try ConfigurationFile(path: "/tmp") }
  }
}
