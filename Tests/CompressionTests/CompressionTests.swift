import Compression
import Foundation
import Testing

/// Runs the gzip program as an independent oracle.
private func gzip(_ arguments: [String], _ input: [UInt8]) throws -> (output: [UInt8], status: Int32) {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("gzip-\(UUID().uuidString).gz").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  try Data(input).write(to: URL(fileURLWithPath: path))
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: "/bin/gzip")
  process.arguments = arguments + ["-c"]
  process.standardInput = FileHandle(forReadingAtPath: path)
  process.standardOutput = pipe
  process.standardError = FileHandle.nullDevice
  try process.run()
  let output = [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
  process.waitUntilExit()
  return (output, process.terminationStatus)
}

private let samples: [[UInt8]] = [
  [], [7], Array("hello hello hello hello\n".utf8), [UInt8](repeating: 0, count: 300_000),
  (0..<200_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) },
  Array(String(repeating: "Ein Satz, der sich wiederholt. ", count: 5000).utf8),
]

@Suite struct GzipInteroperationTests {
  @Test func isReadByGzip() throws {
    for sample in samples {
      let (output, status) = try gzip(["-d"], compress(sample))
      #expect(output == sample && status == 0)
    }
  }

  @Test func readsWhatGzipWrote() throws {
    for sample in samples {
      let file = try gzip(["-9"], sample).output
      #expect(try decompress(file, limit: 1_000_000) == sample)
    }
  }

  @Test func readsMembersAsOne_likeGzip() throws {
    let file = compress(Array("one ".utf8)) + compress([]) + compress(Array("two".utf8))
    #expect(try decompress(file, limit: 100) == Array("one two".utf8))
    #expect(try gzip(["-d"], file).output == Array("one two".utf8))
  }

  @Test func isDeterministic() {
    let file = compress(samples[2])
    #expect(file == compress(samples[2]))
    // No time, no name: RFC 1952, section 2.3.
    #expect(file[3] == 0 && file[4..<8].allSatisfy { $0 == 0 })
  }
}

@Suite struct StreamTests {
  @Test(arguments: CompressionFormat.allCases, [1, 13, 4096, 70_000])
  func givesTheSame_piecewise(format: CompressionFormat, size: Int) throws {
    for sample in samples where size > 1 || sample.count < 1000 {
      let compressor = Compressor(format, level: 4)
      var file: [UInt8] = []
      for start in stride(from: 0, to: sample.count, by: size) {
        file += compressor.compress(Array(sample[start..<min(start + size, sample.count)]))
      }
      file += compressor.finish()
      #expect(compressor.finish().isEmpty)
      let decompressor = Decompressor(format, limit: 1_000_000)
      var content: [UInt8] = []
      for start in stride(from: 0, to: file.count, by: size) {
        content += try decompressor.decompress(Array(file[start..<min(start + size, file.count)]))
      }
      try decompressor.finish()
      #expect(content == sample)
      #expect(decompressor.byteCount == sample.count)
    }
  }

  @Test func isReadableSoFar_afterAFlush() throws {
    let compressor = Compressor()
    let decompressor = Decompressor(limit: 100)
    #expect(
      try decompressor.decompress(compressor.compress(Array("first".utf8)) + compressor.flush()) == Array("first".utf8))
    #expect(!decompressor.isComplete)
    #expect(try decompressor.decompress(compressor.finish()) == [])
    #expect(decompressor.isComplete)
  }

  @Test func givesPiecesOfBoundedSize() throws {
    let file = compress([UInt8](repeating: 1, count: 5_000_000))
    let decompressor = Decompressor(limit: 5_000_000)
    var largest = 0
    var total = 0
    try file.withUnsafeBytes { file in
      try decompressor.decompress(file) {
        largest = max(largest, $0.count)
        total += $0.count
      }
    }
    try decompressor.finish()
    #expect(total == 5_000_000 && largest <= 65_536)
  }

  @Test func isLost_whenAPieceIsNotTaken() throws {
    struct Stop: Error {}
    let decompressor = Decompressor(limit: 100)
    #expect(throws: Stop.self) {
      try compress([1]).withUnsafeBytes { try decompressor.decompress($0) { _ in throw Stop() } }
    }
    #expect(throws: CompressionError.self) { try decompressor.decompress([1]) }
    #expect(throws: CompressionError.self) { try decompressor.finish() }
  }
}

@Suite struct HostileDataTests {
  private func code(_ bytes: [UInt8], _ format: CompressionFormat = .gzip, limit: Int = 1_000_000) -> CompressionError
    .Code?
  {
    do {
      _ = try decompress(bytes, format, limit: limit)
      return nil
    } catch { return (error as? CompressionError)?.code }
  }

  @Test func stopsABomb_atTheLimit() {
    let bomb = compress([UInt8](repeating: 0, count: 10_000_000), level: 9)
    #expect(bomb.count < 20_000)
    #expect(code(bomb, limit: 9_999_999) == .tooLarge)
    #expect(code(bomb, limit: 10_000_000) == nil)
    // Many small members are bounded together.
    let many = Array(repeatElement(compress([UInt8](repeating: 0, count: 1000)), count: 50).joined())
    #expect(code(many, limit: 49_999) == .tooLarge)
    #expect(code(compress([]), limit: 0) == nil)
  }

  @Test(arguments: CompressionFormat.allCases) func noticesEveryTruncation(format: CompressionFormat) {
    let file = compress(Array("some text to be cut".utf8), format)
    for count in 0..<file.count { #expect(code(Array(file.prefix(count)), format) == .truncated, "\(count)") }
  }

  @Test func neverGivesOtherContent_whenABitIsFlipped() {
    let text = Array("some text to be damaged".utf8)
    let file = compress(text)
    var unnoticed = 0
    for index in 10..<file.count {
      for bit in 0..<8 {
        var damaged = file
        damaged[index] ^= 1 << bit
        guard let content = try? decompress(damaged, limit: 1000) else { continue }
        #expect(content == text)
        unnoticed += 1
      }
    }
    // The bits after the last block fill up a byte and mean nothing.
    #expect(unnoticed < 8)
  }

  @Test func refusesWhatIsNotTheFormat() {
    #expect(code(Array("plain text".utf8)) == .corrupt)
    #expect(code(compress([1], .zlib), .gzip) == .corrupt)
    #expect(code(compress([1], .gzip), .zlib) == .corrupt)
  }

  @Test func acceptsPaddingWithZeros_butNothingElseBehind() {
    let file = compress([1, 2, 3])
    #expect(code(file + [0, 0, 0]) == nil)
    #expect(code(file + [0, 0, 1]) == .trailingData)
    #expect(code(file + Array("rest".utf8)) == .corrupt)
    #expect(code(compress([1], .zlib) + [0], .zlib) == .trailingData)
    #expect(code(compress([1], .raw) + [0], .raw) == .trailingData)
  }
}

@Suite struct ChecksumTests {
  @Test func matchesTheCheckValue() {
    // The check value of CRC-32/ISO-HDLC.
    #expect(crc32(Array("123456789".utf8)) == 0xcbf4_3926)
    #expect(crc32([]) == 0)
  }

  @Test func goesOnFromAnEarlierPart() {
    #expect(crc32(Array("6789".utf8), continuing: crc32(Array("12345".utf8))) == 0xcbf4_3926)
    #expect(crc32([], continuing: 5) == 5)
  }

  @Test func matchesGzipsTrailer() throws {
    // RFC 1952: the CRC is the eighth-last to fifth-last byte, least significant first.
    for sample in samples {
      let trailer = try gzip([], sample).output.suffix(8).prefix(4)
      #expect(crc32(sample) == trailer.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
  }
}
