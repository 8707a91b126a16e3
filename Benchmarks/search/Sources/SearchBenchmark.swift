// The SQLite store's search, as Benchmarks/search/compare runs it:
//
//   search-benchmark build  STORE VECTORS TEXTS CHUNKS PER_DOCUMENT   a store of CHUNKS chunks
//   search-benchmark dense  STORE QUERIES OUT DEPTH ROUNDS [FILTER]   nearest chunks of each query
//   search-benchmark words  STORE QUESTIONS OUT DEPTH ROUNDS [FILTER] best chunks by words
//   search-benchmark change STORE VECTORS                             one document in and out, and its visibility
//
// VECTORS is rows of binary16, QUERIES of Float32, both of 384 components; TEXTS and QUESTIONS have one text a line, and
// TEXTS is begun again when it is short. FILTER is `tenth`, `hundredth` or `thousandth`: that share of the documents. Each
// prints one line of JSON; OUT gets a line for each query with the row numbers found.

import Core
import FoundationEssentials
import Glibc
import SQLiteStore

let dimension = 384

@main
struct SearchBenchmark {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "build" where arguments.count == 6:
      try await build(arguments[1], arguments[2], arguments[3], Int(arguments[4]) ?? 0, Int(arguments[5]) ?? 1)
    case "dense" where arguments.count >= 6, "words" where arguments.count >= 6:
      try await search(
        arguments[0], arguments[1], arguments[2], arguments[3], Int(arguments[4]) ?? 10, Int(arguments[5]) ?? 1,
        arguments.count > 6 ? arguments[6] : nil)
    case "change" where arguments.count == 3: try await change(arguments[1], arguments[2])
    default:
      print("usage: search-benchmark build|dense|words|change …")
      exit(64)
    }
  }

  // MARK: Store

  static let identity = EmbeddingIdentity(
    model: "benchmark", revision: "1", dimension: dimension, pooling: "mean", truncation: "256 tokens",
    numericScheme: "fp32")

  static func hex(_ number: Int, _ kind: String) -> String {
    let digits = String(number, radix: 16)
    return kind + String(repeating: "0", count: 31 - digits.count) + digits
  }

  static func vector(_ data: Data, _ row: Int) -> [Float] {
    data.withUnsafeBytes { bytes in
      (0..<dimension).map { Float(bytes.loadUnaligned(fromByteOffset: (row * dimension + $0) * 2, as: Float16.self)) }
    }
  }

  /// Chunk ids are row numbers.
  static func document(_ number: Int, rows: Range<Int>, vectors: Data, texts: [String]) -> IndexedDocument {
    let document = Document(
      id: DocumentID(rawValue: hex(number, "d")), collection: .default,
      uri: SourceURI(rawValue: "file:///benchmark/\(number)"), generation: 0,
      version: ContentVersion(rawValue: hex(number, "c") + hex(number, "e")))
    var page = ""
    var chunks: [EmbeddedChunk] = []
    var start = 0
    for (ordinal, row) in rows.enumerated() {
      // Two lines of the texts, so that a chunk is as long as Quarry's are.
      let text = texts[row % texts.count] + " " + texts[(row &* 7_919 + row / texts.count &* 104_729) % texts.count]
      let count = text.unicodeScalars.count
      chunks.append(
        EmbeddedChunk(
          chunk: Chunk(
            id: ChunkID(rawValue: hex(row, "0")), document: document.id, ordinal: ordinal, text: text,
            pages: [PageRange(page: 1, label: nil, range: start..<start + count)], headingPath: [],
            embeddedText: text, isLowValue: false),
          textHash: TextHash(rawValue: hex(row, "a") + hex(row, "b")),
          embedding: Embedding(unit: vector(vectors, row))))
      page += text + "\n"
      start += count + 1
    }
    let stored = Page(
      number: 1, label: nil, size: PageSize(width: 612, height: 792), text: page,
      boxes: [Box?](repeating: nil, count: page.unicodeScalars.count), blocks: [], coverage: .text, coverageReason: nil)
    var attributes: [String: String] = [:]
    if number % 10 == 3 { attributes["tenth"] = "yes" }
    if number % 100 == 33 { attributes["hundredth"] = "yes" }
    if number % 1_000 == 333 { attributes["thousandth"] = "yes" }
    return IndexedDocument(
      document: document, metadata: DocumentMetadata(title: nil, attributes: attributes), sourceStamp: "1",
      byteCount: page.utf8.count, pageCount: 1, pages: [stored], outline: [], chunks: chunks, identity: identity,
      pipeline: PipelineVersion(rawValue: "benchmark"), state: .ready, indexed: Date(timeIntervalSince1970: 0))
  }

  static func build(
    _ path: String, _ vectorsPath: String, _ textsPath: String, _ count: Int, _ perDocument: Int
  ) async throws {
    let vectors = try Data(contentsOf: URL(filePath: vectorsPath), options: .mappedIfSafe)
    let texts = try lines(textsPath)
    let database = try await SQLiteDatabase.open(path)
    let index = SQLiteDocumentIndex(database)
    let clock = ContinuousClock()
    let start = clock.now
    for first in stride(from: 0, to: count, by: perDocument) {
      let rows = first..<min(count, first + perDocument)
      try await index.commit(document(first / perDocument, rows: rows, vectors: vectors, texts: texts))
    }
    let seconds = start.duration(to: clock.now) / .seconds(1)
    await database.close()
    print("{\"chunks\": \(count), \"build_s\": \(seconds)}")
  }

  static func lines(_ path: String) throws -> [String] {
    try Data(contentsOf: URL(filePath: path)).split(separator: UInt8(ascii: "\n"))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: Search

  static func search(
    _ kind: String, _ path: String, _ queriesPath: String, _ out: String, _ depth: Int, _ rounds: Int, _ share: String?
  ) async throws {
    let clock = ContinuousClock()
    let isDense = kind == "dense"
    let data = try Data(contentsOf: URL(filePath: queriesPath))
    let questions = isDense ? [] : try lines(queriesPath)
    let count = isDense ? data.count / (4 * dimension) : questions.count
    let filter = share.map { SearchFilter(attributes: [$0: "yes"]) } ?? SearchFilter()
    let requests = (0..<count).map { number -> CandidateRequest in
      let vector =
        isDense
        ? data.withUnsafeBytes { bytes in
          (0..<dimension).map { bytes.loadUnaligned(fromByteOffset: (number * dimension + $0) * 4, as: Float.self) }
        } : []
      return CandidateRequest(
        embedding: isDense ? Embedding(unit: vector) : nil, identity: isDense ? identity : nil,
        lexicalText: isDense ? nil : questions[number], trigramText: nil, filter: filter, depth: depth)
    }
    let opening = clock.now
    let database = try await SQLiteDatabase.open(path, mustExist: true)
    let index = SQLiteDocumentIndex(database)
    let opened = opening.duration(to: clock.now) / .milliseconds(1)
    var found: [[String]] = []
    _ = try await index.candidates(for: requests[0])
    let first = opening.duration(to: clock.now) / .milliseconds(1)
    let after = memory()
    var times: [Double] = []
    let before = processorSeconds()
    for round in 0..<rounds {
      for request in requests {
        let start = clock.now
        let result = try await index.candidates(for: request)
        times.append(start.duration(to: clock.now) / .milliseconds(1))
        if round == 0 {
          found.append(
            (result.legs[isDense ? .dense : .lexical] ?? []).map {
              "\(Int($0.chunk.rawValue.dropFirst(), radix: 16) ?? -1):\($0.score)"
            })
        }
      }
    }
    let processor = (processorSeconds() - before) / Double(times.count) * 1_000
    try Data((found.map { $0.joined(separator: " ") }.joined(separator: "\n") + "\n").utf8).write(
      to: URL(filePath: out))
    times.sort()
    func percentile(_ share: Double) -> Double { times[min(times.count - 1, Int(share * Double(times.count)))] }
    print(
      """
      {"queries": \(count), "processor_ms": \(processor), "p50_ms": \(percentile(0.5)), "p95_ms": \(percentile(0.95)), "min_ms": \(times[0]), \
      "open_ms": \(opened), "first_answer_ms": \(first), "memory_mb_loaded": \(after), "memory_mb": \(memory())}
      """)
    await database.close()
  }

  /// Processor time of all threads of this process.
  static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// RssAnon + RssShmem, MB.
  static func memory() -> Double {
    let status = (try? String(decoding: Data(contentsOf: URL(filePath: "/proc/self/status")), as: UTF8.self)) ?? ""
    return status.split(separator: "\n").filter { $0.hasPrefix("RssAnon") || $0.hasPrefix("RssShmem") }
      .reduce(0) { $0 + (Double($1.split(whereSeparator: \.isWhitespace)[1]) ?? 0) } / 1_000
  }

  // MARK: Changes

  static func change(_ path: String, _ vectorsPath: String) async throws {
    let vectors = try Data(contentsOf: URL(filePath: vectorsPath), options: .mappedIfSafe)
    let writing = try await SQLiteDatabase.open(path, mustExist: true)
    let reading = try await SQLiteDatabase.open(path, mustExist: true)
    let writer = SQLiteDocumentIndex(writing)
    let reader = SQLiteDocumentIndex(reading)
    let query = Embedding(unit: vector(vectors, 5))
    let request = CandidateRequest(
      embedding: query, identity: identity, lexicalText: nil, trigramText: nil, filter: .init(), depth: 10)
    let clock = ContinuousClock()
    func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
      let start = clock.now
      try await body()
      return start.duration(to: clock.now) / .milliseconds(1)
    }
    _ = try await reader.candidates(for: request)
    var insert: [Double] = []
    var visible: [Double] = []
    var steady: [Double] = []
    var delete: [Double] = []
    for round in 0..<30 {
      let number = 90_000_000 + round
      let document = document(number, rows: 5..<6, vectors: vectors, texts: ["one more text to be found"])
      insert.append(try await milliseconds { try await writer.commit(document) })
      visible.append(try await milliseconds { _ = try await reader.candidates(for: request) })
      steady.append(try await milliseconds { _ = try await reader.candidates(for: request) })
      delete.append(
        try await milliseconds {
          try await writer.delete(document.document.id, tombstone: false, now: Date(timeIntervalSince1970: 0))
        })
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    print(
      """
      {"insert_ms": \(median(insert)), "delete_ms": \(median(delete)), "first_query_after_ms": \(median(visible)), \
      "second_query_after_ms": \(median(steady))}
      """)
    await writing.close()
    await reading.close()
  }
}
