import Configuration
import Testing

enum Engine: String, CaseIterable {
  case faiss, lucene
}

/// A reader over a file `quarry.yaml`, with the prefix `QUARRY_`.
func reader(
  _ text: String = "", defaults: String = "", environment: [String: String] = [:], flags: [String: String] = [:]
) throws -> ConfigurationReader {
  try ConfigurationReader(
    defaults: defaults, file: try ConfigurationFile(name: "quarry.yaml", text: text), environment: environment,
    environmentPrefix: "QUARRY_", otherVariables: ["QUARRY_CONFIG"], flags: flags)
}

func messages(_ reader: ConfigurationReader) -> [String] { reader.problems.map(\.description) }

@Suite struct ReaderTests {
  @Test func readsEveryKind() throws {
    let reader = try reader(
      """
      name: 123
      retrieval:
        topK: 7
        weight: 0.25
        enabled: true
      timeout: 1h30m
      memory: 512 MiB
      engine: lucene
      include: ["*.pdf", x]
      labels: {team: a, cost-centre: "7"}
      """)
    #expect(reader.value("name", .string, default: "", doc: "d") == "123")
    #expect(reader.value("retrieval.topK", .int(in: 1...10), default: 5, doc: "d") == 7)
    #expect(reader.value("retrieval.weight", .double(in: 0...1), default: 0, doc: "d") == 0.25)
    #expect(reader.nested("retrieval").value("enabled", .bool, default: false, doc: "d"))
    #expect(reader.value("timeout", .duration(), default: .zero, doc: "d") == .seconds(5400))
    #expect(reader.value("memory", .byteSize(), default: 0, doc: "d") == 512 << 20)
    #expect(reader.value("engine", .oneOf(Engine.self), default: .faiss, doc: "d") == .lucene)
    #expect(reader.value("include", .list(of: .string), default: [], doc: "d") == ["*.pdf", "x"])
    #expect(reader.value("labels", .map(of: .string), default: [:], doc: "d") == ["team": "a", "cost-centre": "7"])
    #expect(reader.optional("absent", .string, doc: "d") == nil)
    #expect(messages(reader) == [])
    try reader.finish()
  }

  @Test func lastLayerWins_andTheOriginIsKnown() throws {
    let reader = try reader(
      "b: 2\nc: 2\nd: 2\nlist: [x]", defaults: "a: 1\nb: 1\nc: 1\nd: 1\nlist: [p, q]",
      environment: ["QUARRY_C": "3", "QUARRY_D": "3", "QUARRY_A": "", "HOME": "/x"], flags: ["d": "4"])
    for (key, value, origin) in [
      ("a", 1, "default"), ("b", 2, "quarry.yaml:1"), ("c", 3, "QUARRY_C"), ("d", 4, "flag"),
    ] {
      #expect(reader.value(key, .int(), default: 0, doc: "d") == value)
      #expect(reader.origin(of: key).description == origin)
    }
    #expect(reader.value("e", .int(), default: 9, doc: "d") == 9)
    #expect(reader.value("list", .list(of: .string), default: [], doc: "d") == ["x"])
    #expect(
      reader.effectiveValues.map { "\($0.key)=\($0.value) (\($0.origin))" } == [
        "a=1 (default)", "b=2 (quarry.yaml:1)", "c=3 (QUARRY_C)", "d=4 (flag)", "e=9 (default)",
        "list=[x] (quarry.yaml:4)",
      ])
    try reader.finish()
  }

  @Test func nullUnsetsAKey_andAnEmptyValueLeavesIt() throws {
    let reader = try reader("a: null\nb:\nc: \"null\"\nsection:\n", defaults: "a: x\nb: y\nsection: {d: z}")
    #expect(reader.optional("a", .string, doc: "d") == nil)
    #expect(reader.optional("b", .string, doc: "d") == "y")
    #expect(reader.optional("c", .string, doc: "d") == "null")
    #expect(reader.optional("section.d", .string, doc: "d") == "z")
    #expect(messages(reader) == [])
  }

  @Test func readsTextsOfTheEnvironment() throws {
    let reader = try reader(
      environment: [
        "QUARRY_TEXT": "a: b # c", "QUARRY_NAMES": "a, b ,c", "QUARRY_LIST": "['x, y', z]", "QUARRY_PAIRS": "a=1, b=2",
        "QUARRY_MAP": "{a: '1, 2'}", "QUARRY_STORE_KNN_ENGINE": "lucene", "QUARRY_FLAG": "true",
        "QUARRY_SOURCES": "[{uri: /a, collection: c}, /b]", "QUARRY_OTHERS": "/x,/y", "QUARRY_NULL": "null",
      ])
    #expect(reader.value("text", .string, default: "", doc: "d") == "a: b # c")
    #expect(reader.value("names", .list(of: .string), default: [], doc: "d") == ["a", "b", "c"])
    #expect(reader.value("list", .list(of: .string), default: [], doc: "d") == ["x, y", "z"])
    #expect(reader.value("pairs", .map(of: .int()), default: [:], doc: "d") == ["a": 1, "b": 2])
    #expect(reader.value("map", .map(of: .string), default: [:], doc: "d") == ["a": "1, 2"])
    #expect(reader.value("store.knnEngine", .oneOf(Engine.self), default: .faiss, doc: "d") == .lucene)
    #expect(reader.value("flag", .bool, default: false, doc: "d"))
    #expect(reader.optional("null", .string, doc: "d") == "null")
    let sources = { (reader: ConfigurationReader, key: String) in
      reader.list(key, shorthand: "uri", doc: "d") { item in
        item.required("uri", .string, doc: "d") + ":" + item.value("collection", .string, default: "-", doc: "d")
      }
    }
    #expect(sources(reader, "sources") == ["/a:c", "/b:-"])
    #expect(sources(reader, "others") == ["/x:-", "/y:-"])
    #expect(messages(reader) == [])
  }

  @Test func readsListsAndMapsOfMaps() throws {
    let reader = try reader(
      """
      sources:
        - uri: /a
          include: ["*.pdf"]
        - uri: /b
          colection: x
        - 7
      prices:
        model.v1:0: {input: 0.5}
      """)
    let sources = reader.list("sources", doc: "Sources.") { item in
      (
        item.required("uri", .string, doc: "Where."),
        item.value("include", .list(of: .string), default: ["*"], doc: "Which."),
        item.optional("collection", .string, doc: "Into which collection.")
      )
    }
    #expect(sources.map(\.0) == ["/a", "/b"])
    #expect(sources.map(\.1) == [["*.pdf"], ["*"]])
    let prices = reader.map("prices", doc: "Prices.") { _, item in
      item.value("input", .double(in: 0...100), default: 0, doc: "USD.")
    }
    #expect(prices == ["model.v1:0": 0.5])
    #expect(
      messages(reader) == [
        "quarry.yaml: line 5, column 5: sources[1].colection: unknown key; did you mean 'sources[1].collection'?",
        "quarry.yaml: line 6, column 5: sources[2]: must be a map of keys, not '7'",
      ])
    #expect(
      reader.knownKeys.map(\.key) == [
        "sources", "sources[].uri", "sources[].include", "sources[].collection", "prices", "prices[].input",
      ])
    #expect(
      reader.effectiveValues.map { "\($0.key)=\($0.value) (\($0.origin))" } == [
        "sources[0].uri=/a (quarry.yaml:2)", "sources[0].include=[\"*.pdf\"] (quarry.yaml:3)",
        "sources[0].collection=null (default)", "sources[1].uri=/b (quarry.yaml:4)",
        "sources[1].include=[\"*\"] (default)", "sources[1].collection=null (default)",
        "prices[model.v1:0].input=0.5 (quarry.yaml:8)",
      ])
  }

  @Test func knowsTheKeysOfItems_whenTheListIsEmpty() throws {
    let reader = try reader()
    let items = reader.list("sources", doc: "d") { $0.required("uri", .nonEmptyString, doc: "Where.") }
    #expect(items == [])
    #expect(reader.knownKeys.map(\.key) == ["sources", "sources[].uri"])
    #expect(reader.effectiveValues.map(\.key) == ["sources"])
    #expect(messages(reader) == [])
  }

  @Test func documentsEveryKey() throws {
    let reader = try reader(defaults: "retrieval: {topK: 8}")
    _ = reader.value("retrieval.topK", .int(in: 1...100), default: 5, doc: "How many passages.")
    _ = reader.required("app", .string, doc: "The application's name.")
    _ = reader.value(
      "server.idleTimeout", .duration(in: .seconds(1) ... .seconds(3600)), default: .seconds(90), doc: "d")
    _ = reader.value("pdf.memory", .byteSize(in: 1 << 20...Int.max), default: 2 << 30, doc: "d")
    _ = reader.optional("server.password", .secret(), doc: "d")
    let keys = reader.knownKeys
    #expect(keys[0].documentation == "How many passages.")
    #expect(keys.map(\.type).prefix(2) == ["an integer from 1 to 100", "text"])
    #expect(keys[2].type == "a duration such as '30s' or '5m' from 1s to 1h")
    #expect(keys[3].type == "a size such as '512 MiB' of at least 1 MiB")
    #expect(keys.map(\.defaultValue) == ["8", nil, "1m30s", "2 GiB", nil])
    #expect(keys.map(\.isRequired) == [false, true, false, false, false])
    #expect(keys.map(\.isSecret) == [false, false, false, false, true])
    #expect(
      keys.map(\.environmentVariable) == [
        "QUARRY_RETRIEVAL_TOP_K", "QUARRY_APP", "QUARRY_SERVER_IDLE_TIMEOUT", "QUARRY_PDF_MEMORY",
        "QUARRY_SERVER_PASSWORD",
      ])
  }

  @Test(arguments: [
    ("store.knnEngine", "STORE_KNN_ENGINE"), ("dataDirectory", "DATA_DIRECTORY"), ("a.baseURLPath", "A_BASE_URL_PATH"),
    ("a.baseURL", "A_BASE_URL"), ("p95Latency", "P95_LATENCY"), ("log-level", "LOG_LEVEL"), ("URL", "URL"),
  ])
  func namesVariablesByTheKeysWords(key: String, name: String) {
    #expect(environmentName(of: key, prefix: "") == name)
  }
}
