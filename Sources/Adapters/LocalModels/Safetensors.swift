import Core
import FoundationEssentials

/// The tensors of a `.safetensors` file: eight bytes of header length (little-endian), a JSON header, then the
/// data, as https://huggingface.co/docs/safetensors defines it. Nothing is copied; every tensor's place is checked
/// against the file before it is given out, so a damaged or hostile file gives errors only.
package struct Safetensors: Sendable {
  /// A tensor of 32-bit floats.
  package struct Tensor: Sendable, Equatable {
    /// Sizes, outermost first.
    package let shape: [Int]
    /// Where its bytes are in the file; the start may have any alignment.
    package let bytes: Range<Int>

    package init(shape: [Int], bytes: Range<Int>) {
      self.shape = shape
      self.bytes = bytes
    }
  }

  /// The format's own limit.
  private static let longestHeader = 100_000_000

  /// The tensors by name; those of other types than F32 are left out.
  package let tensors: [String: Tensor]

  /// Reads the header.
  /// - Throws: ``LocalModelsError`` with code `model.unreadable` and the reason.
  package init(_ file: UnsafeRawBufferPointer) throws(LocalModelsError) {
    guard file.count >= 8 else { throw .unreadable("the file is shorter than a header") }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(min(file.count - 8, Self.longestHeader)) else {
      throw .unreadable("the header claims \(length) bytes")
    }
    let data = 8 + Int(length)
    let header: Header
    do {
      header = try JSONDecoder().decode(Header.self, from: Data(file[8..<data]))
    } catch {
      throw .unreadable("the header is not the JSON expected", underlying: error)
    }
    var tensors: [String: Tensor] = [:]
    for (name, entry) in header.entries where entry.dtype == "F32" {
      guard entry.data_offsets.count == 2, let start = entry.data_offsets.first, let end = entry.data_offsets.last,
        0 <= start, start <= end, end <= file.count - data,
        let size = Self.byteCount(of: entry.shape), size == end - start
      else { throw .unreadable("tensor \(name) does not fit the file") }
      tensors[name] = Tensor(shape: entry.shape, bytes: data + start..<data + end)
    }
    self.tensors = tensors
  }

  /// The tensor `name`, if it has exactly this shape.
  /// - Throws: ``LocalModelsError`` with code `model.unreadable`.
  package func tensor(_ name: String, _ shape: [Int]) throws(LocalModelsError) -> Tensor {
    guard let tensor = tensors[name] else { throw .unreadable("there is no tensor \(name) of 32-bit floats") }
    guard tensor.shape == shape else {
      throw .unreadable("tensor \(name) has shape \(tensor.shape), not \(shape)")
    }
    return tensor
  }

  /// Four times the product of `shape`; nil when negative or too large.
  private static func byteCount(of shape: [Int]) -> Int? {
    var size = 4
    for dimension in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      size = product
    }
    return size
  }

  private struct Header: Decodable {
    struct Entry: Decodable {
      let dtype: String
      let shape: [Int]
      let data_offsets: [Int]
    }
    struct Name: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    var entries: [String: Entry] = [:]

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      for name in container.allKeys where name.stringValue != "__metadata__" {
        entries[name.stringValue] = try container.decode(Entry.self, forKey: name)
      }
    }
  }
}
