import Core
import Foundation
import HTTPClient
import QuarryTesting
import Testing

@testable import AWS

@Suite struct RecordBatchTests {
  @Test func countsWhatWasSentAndWhatIsLeft() {
    var batch = RecordBatch()
    for number in 10..<14 { batch.add([1], number: number) }
    batch.refuse(14)
    var progress = ShipmentProgress(sent: 10, left: [3, 11])
    batch.note(failed: [1, 3], in: &progress)
    #expect(progress == ShipmentProgress(sent: 15, left: [3, 11, 13], refused: 1))
    batch.keep([1, 3])
    batch.note(failed: [], in: &progress)
    #expect(progress == ShipmentProgress(sent: 15, left: [3], refused: 1))
  }

  @Test func isFullBySizeOrNumber() {
    var batch = RecordBatch()
    let large = [UInt8](repeating: 0, count: RecordBatch.recordBytes)
    for number in 0..<4 {
      #expect(batch.hasRoom(for: large))
      batch.add(large, number: number)
    }
    #expect(!batch.hasRoom(for: large) && batch.hasRoom(for: [0]))
    for number in 4..<500 { batch.add([0], number: number) }
    #expect(!batch.hasRoom(for: [0]))
  }
}

@Suite(.enabled(if: ContractServer.python != nil, "botocore is not installed (make setup-test)"), .serialized)
struct FirehoseArchiveTests {
  private func archive(_ server: ContractServer, rounds: Int = 5) throws -> FirehoseArchive {
    let client = try AWSClient(
      environment: AWSEnvironment(variables: [
        "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "AKIDCONTRACT", "AWS_SECRET_ACCESS_KEY": "contract-secret",
        "AWS_ENDPOINT_URL": server.url,
      ]), region: "eu-central-1", http: HTTPClient(),
      policy: RetryPolicy(maximumAttempts: 3, baseDelay: .milliseconds(1)))
    return FirehoseArchive(client: client, stream: "rag-events_1", rounds: rounds, firstPause: .milliseconds(1))
  }

  private func lines(_ count: Int) -> [String] { (0..<count).map { "{\"n\":\($0),\"t\":\"ü\"}" } }

  @Test func putsEachLineOnce_withinTheServicesLimits() async throws {
    let server = try await ContractServer()
    try await server.setFaults()
    let folder = try ArchiveFolder()
    let wide = (0..<6).map { "\"\($0)" + String(repeating: "x", count: 1_000_000) + "\"" }
    let lines = lines(1_203) + wide + ["last"]
    let saved = SavedProgress()
    let reached = try await archive(server).send(folder.file(lines: lines), progress: .init(), save: saved.save)
    #expect(reached == ShipmentProgress(sent: lines.count))
    #expect(saved.last == reached)
    let record = try await server.record()
    #expect(record.records == lines.map { $0 + "\n" })
    #expect(record.calls.count == 4)
  }

  @Test func sendsRefusedRecordsAgain_andOnlyThose() async throws {
    let server = try await ContractServer()
    try await server.setFaults(#"[{"refuse": [0, 3, 9]}, {"status": 503}, {"refuse": [1]}, {"refuse": [0]}]"#)
    let folder = try ArchiveFolder()
    let lines = lines(10)
    let reached = try await archive(server).send(folder.file(lines: lines), progress: .init()) { _ in }
    #expect(reached == ShipmentProgress(sent: 10))
    let records = try await server.record().records
    #expect(records.count == 10)
    #expect(Set(records) == Set(lines.map { $0 + "\n" }))
  }

  @Test func goesOnWithWhatIsLeft_afterGivingUp() async throws {
    let server = try await ContractServer()
    try await server.setFaults(#"[{"refuse": [2, 499]}, {"refuse": [0, 1]}]"#)
    let folder = try ArchiveFolder()
    let lines = lines(600)
    let file = try folder.file(lines: lines)
    let saved = SavedProgress()
    let error = await #expect(throws: AWSError.self) {
      _ = try await archive(server, rounds: 2).send(file, progress: .init(), save: saved.save)
    }
    #expect(error?.serviceCode == "ServiceUnavailableException")
    #expect(saved.last == ShipmentProgress(sent: 500, left: [2, 499]))
    let reached = try await archive(server).send(file, progress: saved.last, save: saved.save)
    #expect(reached == ShipmentProgress(sent: 600))
    let records = try await server.record().records
    #expect(records.count == 600)
    #expect(Set(records) == Set(lines.map { $0 + "\n" }))
  }

  @Test func countsALineThatIsTooLong_andSendsTheRest() async throws {
    let server = try await ContractServer()
    try await server.setFaults()
    let folder = try ArchiveFolder()
    let long = String(repeating: "x", count: 1_024_000)
    let reached = try await archive(server).send(
      folder.file(lines: ["a", long, "b"]), progress: .init()
    ) { _ in }
    #expect(reached == ShipmentProgress(sent: 3, refused: 1))
    #expect(try await server.record().records == ["a\n", "b\n"])
    #expect(try await archive(server).send(folder.file(lines: [long]), progress: .init()) { _ in }.refused == 1)
  }

  @Test(.enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"))
  func motosStreamWritesTheLines() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(
      """
      c = client("s3")
      c.create_bucket(Bucket="sink", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
      client("firehose").create_delivery_stream(DeliveryStreamName="rag", S3DestinationConfiguration={
          "RoleARN": "arn:aws:iam::123456789012:role/f", "BucketARN": "arn:aws:s3:::sink"})
      """)
    let folder = try ArchiveFolder()
    let archive = FirehoseArchive(client: try server.client(), stream: "rag")
    _ = try await archive.send(folder.file(lines: ["{\"a\":1}", "{\"b\":2}"]), progress: .init()) { _ in }
    let read = try await server.boto(
      """
      c = client("s3")
      for o in c.list_objects_v2(Bucket="sink")["Contents"]:
          print(c.get_object(Bucket="sink", Key=o["Key"])["Body"].read().decode(), end="")
      """)
    #expect(read == "{\"a\":1}\n{\"b\":2}\n")
    let missing = FirehoseArchive(client: try server.client(), stream: "none")
    let error = await #expect(throws: AWSError.self) {
      _ = try await missing.send(folder.file(lines: ["x"]), progress: .init()) { _ in }
    }
    #expect(error?.message.contains("stream none") == true)
  }
}
