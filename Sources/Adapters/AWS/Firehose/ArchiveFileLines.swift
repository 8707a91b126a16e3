import Compression
import Core

/// The lines of a file of events, decompressed piece by piece, each with its line end.
actor ArchiveFileLines {
  private let file: ArchiveFile
  private let slices: FileSlices
  private let decompressor = Decompressor(.gzip, limit: .max)
  private var offset = 0
  private var rest: [UInt8] = []
  private var ready: ArraySlice<[UInt8]> = []

  init(_ file: ArchiveFile) throws {
    self.file = file
    slices = try FileSlices(file.path)
  }

  func next() async throws -> [UInt8]? {
    while ready.isEmpty {
      guard offset < file.byteCount else {
        defer { rest = [] }
        return rest.isEmpty ? nil : rest + [UInt8(ascii: "\n")]
      }
      let end = min(offset + (16 << 10), file.byteCount)
      let piece = try await slices.read(offset..<end)
      offset = end
      do {
        rest += try decompressor.decompress(piece)
      } catch {
        throw AWSError(
          "archive.damaged", .corrupt, "the spool file '\(file.path)' is damaged: \(error)",
          remedy: "Move it away; the lines before the damage can be read by zcat.")
      }
      cut()
    }
    return ready.popFirst()
  }

  private func cut() {
    var lines: [[UInt8]] = []
    var start = 0
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(Array(rest[start...end]))
      start = end + 1
    }
    rest.removeFirst(start)
    ready = lines[...]
  }
}
