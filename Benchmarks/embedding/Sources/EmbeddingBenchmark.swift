// What the scripts beside this package compare with other implementations:
//
//   embedding-benchmark tokens  TEXTS OUT            ids of each line, no special tokens
//   embedding-benchmark vectors TEXTS OUT [KERNELS]  the unit vector of each line
//   embedding-benchmark time    TEXTS THREADS        lines a second, as JSON; texts in, vectors out
//
// TEXTS has one text a line. OUT is little-endian: for each line a UInt32 count and as many Int32 ids, or the
// Float32 components.

import Core
import FoundationEssentials
import Glibc
import LocalModels

@main
struct EmbeddingBenchmark {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 4 else {
      print("usage: embedding-benchmark tokens|vectors|time TEXTS OUT|THREADS [KERNELS]")
      exit(64)
    }
    let texts = try Data(contentsOf: URL(filePath: arguments[2])).split(separator: UInt8(ascii: "\n"))
      .map { String(decoding: $0, as: UTF8.self) }
    let files = ModelFiles(
      directory: ModelFiles.defaultDirectory(environment: ProcessInfo.processInfo.environment))
    let kernels = arguments.count > 4 ? KernelPath(rawValue: arguments[4]) : nil
    switch arguments[1] {
    case "tokens":
      let tokenizer = try LocalEmbedder(files: files).tokenizer
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
      try out.write(to: URL(filePath: arguments[3]))
    case "vectors":
      let embedder = try LocalEmbedder(files: files, kernels: kernels)
      var out = Data()
      for embedding in try await embedder.embed(texts, as: .document) {
        embedding.vector.withUnsafeBytes { out.append(contentsOf: $0) }
      }
      try out.write(to: URL(filePath: arguments[3]))
    case "time":
      let loading = ContinuousClock.now
      let embedder = try LocalEmbedder(files: files, threads: Int(arguments[3]) ?? 1, kernels: kernels)
      _ = try await embedder.embed([texts[0]], as: .query)
      let cold = (ContinuousClock.now - loading) / .seconds(1)
      var best = Double.infinity
      var processor = Double.infinity
      for _ in 0..<3 {
        let start = ContinuousClock.now
        let before = processorSeconds()
        _ = try await embedder.embed(texts, as: .document)
        processor = min(processor, processorSeconds() - before)
        best = min(best, (ContinuousClock.now - start) / .seconds(1))
      }
      let query = ContinuousClock.now
      for _ in 0..<100 { _ = try await embedder.embed(["how is the model fetched and checked?"], as: .query) }
      let milliseconds = (ContinuousClock.now - query) / .seconds(1) * 10
      print(
        """
        {"texts_per_second": \(Double(texts.count) / best), "cold_first_vector_s": \(cold), \
        "query_ms": \(milliseconds), \
        "processor_seconds_per_text": \(processor / Double(texts.count)), "kernels": "\(kernels?.rawValue ?? KernelPath.chosen.rawValue)"}
        """)
    default:
      exit(64)
    }
  }

  /// Processor time of all threads of this process.
  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
