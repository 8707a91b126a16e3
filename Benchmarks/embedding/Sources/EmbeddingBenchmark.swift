// What the scripts beside this package compare with other implementations:
//
//   embedding-benchmark tokens  TEXTS OUT                       ids of each line, no special tokens
//   embedding-benchmark vectors TEXTS OUT     [SCHEME [KERNELS]] the unit vector of each line
//   embedding-benchmark first   TEXTS OUT     [SCHEME [KERNELS]] the unit vector of the first line, and no more
//   embedding-benchmark time    TEXTS THREADS [SCHEME [KERNELS]] lines a second, as JSON; texts in, vectors out
//
// TEXTS has one text a line. OUT is little-endian: for each line a UInt32 count and as many Int32 ids, or the
// Float32 components. SCHEME is fp32 (the default), bf16 or int8; KERNELS names a path as QUARRY_KERNELS does.

import Core
import FoundationEssentials
import Glibc
import LocalModels

@main
struct EmbeddingBenchmark {
  static func main() async throws {
    let arguments = CommandLine.arguments
    let scheme = arguments.count > 4 ? NumericScheme(rawValue: arguments[4]) : .fp32
    guard arguments.count >= 4, let scheme else {
      print("usage: embedding-benchmark tokens|vectors|first|time TEXTS OUT|THREADS [fp32|bf16|int8 [KERNELS]]")
      exit(64)
    }
    let texts = try Data(contentsOf: URL(filePath: arguments[2])).split(separator: UInt8(ascii: "\n"))
      .map { String(decoding: $0, as: UTF8.self) }
    let files = ModelFiles(
      directory: ModelFiles.defaultDirectory(environment: ProcessInfo.processInfo.environment))
    let kernels = arguments.count > 5 ? KernelPath(rawValue: arguments[5]) : nil
    switch arguments[1] {
    case "tokens":
      try writeTokens(texts, try LocalEmbedder(files: files).tokenizer, to: arguments[3])
    case "vectors", "first":
      let embedder = try LocalEmbedder(files: files, scheme: scheme, kernels: kernels)
      let isOne = arguments[1] == "first"
      var out = Data()
      for embedding in try await embedder.embed(isOne ? [texts[0]] : texts, as: isOne ? .query : .document) {
        embedding.vector.withUnsafeBytes { out.append(contentsOf: $0) }
      }
      try out.write(to: URL(filePath: arguments[3]))
    case "time":
      try await time(texts, files, scheme, threads: Int(arguments[3]) ?? 1, kernels)
    default:
      exit(64)
    }
  }

  private static func writeTokens(_ texts: [String], _ tokenizer: WordPieceTokenizer, to path: String) throws {
    let start = ContinuousClock.now
    let ids = texts.map { tokenizer.encode($0, limit: .max).dropFirst().dropLast() }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let bytes = texts.reduce(0) { $0 + $1.utf8.count }
    print("\(Int(Double(bytes) / seconds / 1e6)) MB/s")
    var out = Data()
    for line in ids {
      withUnsafeBytes(of: UInt32(line.count).littleEndian) { out.append(contentsOf: $0) }
      line.withUnsafeBytes { out.append(contentsOf: $0) }
    }
    try out.write(to: URL(filePath: path))
  }

  private static func time(
    _ texts: [String], _ files: ModelFiles, _ scheme: NumericScheme, threads: Int, _ kernels: KernelPath?
  ) async throws {
    let question = "how is the model fetched and checked?"
    let loading = ContinuousClock.now
    let embedder = try LocalEmbedder(files: files, scheme: scheme, threads: threads, kernels: kernels)
    let loaded = ContinuousClock.now
    _ = try await embedder.embed([question], as: .query)
    let first = ContinuousClock.now
    var best = Double.infinity
    var processor = Double.infinity
    for _ in 0..<3 {
      let start = ContinuousClock.now
      let before = processorSeconds()
      _ = try await embedder.embed(texts, as: .document)
      processor = min(processor, processorSeconds() - before)
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
    }
    // Each question by itself, so that the median says what an undisturbed one takes on a shared machine.
    var questions: [Double] = []
    for _ in 0..<200 {
      let start = ContinuousClock.now
      _ = try await embedder.embed([question], as: .query)
      questions.append((ContinuousClock.now - start) / .milliseconds(1))
    }
    questions.sort()
    print(
      """
      {"texts_per_second": \(Double(texts.count) / best), \
      "processor_seconds_per_text": \(processor / Double(texts.count)), \
      "load_ms": \((loaded - loading) / .milliseconds(1)), "first_vector_ms": \((first - loading) / .milliseconds(1)), \
      "query_ms": \(questions[questions.count / 2]), "query_ms_least": \(questions[0]), \
      "query_ms_90": \(questions[questions.count * 9 / 10]), \
      "scheme": "\(scheme.rawValue)", "kernels": "\(kernels?.rawValue ?? KernelPath.chosen.rawValue)"}
      """)
  }

  /// Processor time of all threads of this process.
  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
