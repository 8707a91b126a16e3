import Core
import FoundationEssentials

/// Records of one call, with the lines of the file that they are.
struct RecordBatch {
  /// Limits of a call and of a record, which count before base64.
  /// Source: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
  static let mostRecords = 500
  static let mostBytes = 4 << 20
  static let recordBytes = 1_000 << 10

  private(set) var records: [(number: Int, line: [UInt8])] = []
  private(set) var bytes = 0
  /// Lines that no call can take.
  private var refused: [Int] = []
  /// The last line that was looked at.
  private var last = -1

  var isEmpty: Bool { records.isEmpty && refused.isEmpty }

  func hasRoom(for line: [UInt8]) -> Bool {
    records.count < Self.mostRecords && bytes + line.count <= Self.mostBytes
  }

  mutating func add(_ line: [UInt8], number: Int) {
    records.append((number, line))
    bytes += line.count
    last = max(last, number)
  }

  mutating func refuse(_ number: Int) {
    refused.append(number)
    last = max(last, number)
  }

  /// Keeps the records at these places for another round.
  mutating func keep(_ places: [Int]) {
    records = places.map { records[$0] }
    bytes = records.reduce(0) { $0 + $1.line.count }
  }

  /// Enters what became of the batch: everything but the failed places is done.
  mutating func note(failed: Set<Int>, in progress: inout ShipmentProgress) {
    progress.sent = max(progress.sent, last + 1)
    let done = Set(records.map(\.number)).union(refused)
    let left = records.enumerated().filter { failed.contains($0.offset) }.map(\.element.number)
    progress.left = (progress.left.filter { !done.contains($0) } + left).sorted()
    progress.refused += refused.count
    refused = []
  }

  func body(stream: String) -> [UInt8] {
    // Base64 and a stream's name need no escaping in JSON; the name's letters are checked by the service.
    let name = stream.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
    var body = Array("{\"DeliveryStreamName\":\"\(name)\",\"Records\":[".utf8)
    body.reserveCapacity(bytes / 3 * 4 + records.count * 16 + 100)
    for (place, record) in records.enumerated() {
      body += (place == 0 ? "{\"Data\":\"" : ",{\"Data\":\"").utf8
      body += Data(record.line).base64EncodedData()
      body += "\"}".utf8
    }
    return body + "]}".utf8
  }
}
