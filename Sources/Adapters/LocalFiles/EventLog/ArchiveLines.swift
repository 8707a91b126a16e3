import Core
import FoundationEssentials
import Telemetry

/// The lines that events become, by the folder that they are filed under: `events/v1/2026/01/31/23`.
struct ArchiveLines {
  /// The folder of events.
  static let events = "events/v1"

  /// The streams of vectors alone: one JSON array of numbers a line.
  struct Vectors: Sendable {
    /// The folder of the vectors of live questions.
    let prompts: String
    /// The folder of the vectors of chunks.
    let embeddings: String

    /// - Parameter app: The application's name; what no folder's name should have is percent-encoded.
    init(app: String) {
      var name = ""
      for byte in app.utf8 {
        let scalar = Unicode.Scalar(byte)
        let isPlain = scalar.isASCII && (Character(scalar).isLetter || Character(scalar).isNumber)
        if isPlain || "-_".unicodeScalars.contains(scalar) || (scalar == "." && !name.isEmpty) {
          name.unicodeScalars.append(scalar)
        } else {
          name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
      }
      prompts = "promptarchive/\(name)"
      embeddings = "embeddingarchive/\(name)"
    }
  }

  /// Lines by folder, in order of the folders.
  /// - Parameter vectors: The streams of vectors; nil for none.
  /// - Throws: `event.time` for a year outside 1 to 9999.
  static func make(of events: [Event], vectors: Vectors?) throws -> [(folder: String, bytes: [UInt8])] {
    var lines: [String: [UInt8]] = [:]
    for event in events {
      guard let hour = EventHour(of: event.time) else {
        throw LocalFilesError("event.time", .invalidInput, "an event's time is outside the years 1 to 9999")
      }
      lines["\(Self.events)/\(hour.path)", default: []] += try EventCoding.encode(event) + [UInt8(ascii: "\n")]
      guard let vectors else { continue }
      switch event.payload {
      // Evaluations and replays would be counted as people's questions.
      case .answer(let answer) where event.traffic == .live:
        guard let line = line(answer.questionEmbedding ?? []) else { continue }
        lines["\(vectors.prompts)/\(hour.path)", default: []] += line
      case .embedding(let embedding):
        guard let line = line(embedding.vector) else { continue }
        lines["\(vectors.embeddings)/\(hour.path)", default: []] += line
      default: break
      }
    }
    return lines.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Nil for a vector that was redacted, or has numbers that JSON cannot write.
  private static func line(_ vector: [Float]) -> [UInt8]? {
    guard !vector.isEmpty, vector.allSatisfy(\.isFinite) else { return nil }
    return Array(("[" + vector.map { "\($0)" }.joined(separator: ",") + "]\n").utf8)
  }
}
