public import Core
import FoundationEssentials
import HTTPClient

/// Lines of events as records of a Firehose stream, one a line with its line end, so that what the stream writes is
/// lines again.
///
/// Firehose knows no names: a line whose success could not be noted, because the process was killed at that moment, is
/// sent again, and `event_id` tells that it is the same.
///
/// Source: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
public struct FirehoseArchive: EventArchive {
  /// `firehose`.
  public let name = "firehose"
  private let client: AWSClient
  private let stream: String
  private let rounds: Int
  private let firstPause: Duration

  /// Creates an archive.
  /// - Parameters:
  ///   - rounds: Times that records refused one by one are sent before the file waits for its next turn.
  ///   - firstPause: Before the second round; it doubles with each.
  public init(client: AWSClient, stream: String, rounds: Int = 5, firstPause: Duration = .milliseconds(200)) {
    self.client = client
    self.stream = stream
    self.rounds = max(1, rounds)
    self.firstPause = firstPause
  }

  /// Puts the lines of a file.
  public func send(
    _ file: ArchiveFile, progress: ShipmentProgress, save: @escaping @Sendable (ShipmentProgress) async -> Void
  ) async throws -> ShipmentProgress {
    var progress = progress
    var batch = RecordBatch()
    let left = Set(progress.left)
    let lines = try ArchiveFileLines(file)
    var number = 0
    while let line = try await lines.next() {
      defer { number += 1 }
      guard number >= progress.sent || left.contains(number) else { continue }
      guard line.count <= RecordBatch.recordBytes else {
        // Noted with the batch that it would have been in.
        batch.refuse(number)
        continue
      }
      if !batch.hasRoom(for: line) {
        try await put(&batch, &progress, save)
      }
      batch.add(line, number: number)
    }
    try await put(&batch, &progress, save)
    return progress
  }

  /// Sends a batch until every record of it is taken.
  private func put(
    _ batch: inout RecordBatch, _ progress: inout ShipmentProgress,
    _ save: @Sendable (ShipmentProgress) async -> Void
  ) async throws {
    var pause = firstPause
    var round = 0
    while !batch.isEmpty {
      round += 1
      guard !batch.records.isEmpty else {
        batch.note(failed: [], in: &progress)
        await save(progress)
        break
      }
      let answer = try await call(batch)
      let failed = answer.requestResponses.enumerated().filter { $0.element.errorCode != nil }.map(\.offset)
      batch.note(failed: Set(failed), in: &progress)
      await save(progress)
      if failed.isEmpty { break }
      guard round < rounds else {
        let first = answer.requestResponses[failed[0]]
        throw AWSError(
          "aws.records_refused", .unavailable,
          "firehose:PutRecordBatch on stream \(stream) refuses \(failed.count) records after \(rounds) tries: "
            + "\(first.errorCode ?? ""): \(first.errorMessage?.prefix(200) ?? "")",
          remedy: "They are tried again; the stream's quota may be too low.", serviceCode: first.errorCode)
      }
      batch.keep(failed)
      try await Task.sleep(for: pause * Double.random(in: 0.5...1))
      pause = min(.seconds(10), pause * 2)
    }
    batch = RecordBatch()
  }

  private struct Answer: Decodable {
    struct Response: Decodable {
      var errorCode: String?
      var errorMessage: String?

      enum CodingKeys: String, CodingKey {
        case errorCode = "ErrorCode"
        case errorMessage = "ErrorMessage"
      }
    }

    var requestResponses: [Response]

    enum CodingKeys: String, CodingKey { case requestResponses = "RequestResponses" }
  }

  private func call(_ batch: RecordBatch) async throws -> Answer {
    let bytes = try await client.bytes(
      .json(
        .firehose, "PutRecordBatch", on: "stream \(stream)", target: "Firehose_20150804",
        body: batch.body(stream: stream)))
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(bytes)),
      answer.requestResponses.count == batch.records.count
    else {
      throw AWSError(
        "aws.answer_malformed", .unavailable,
        "firehose:PutRecordBatch on stream \(stream) does not answer for each record",
        remedy: "It is tried again; check that the endpoint is Firehose's.")
    }
    return answer
  }
}
