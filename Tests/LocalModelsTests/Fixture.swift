import Foundation
import LocalModels
import Testing

/// What `scripts/generate-embedding-fixtures.py` wrote, and the model that set-up put in the cache.
enum Fixture {
  static let vectorCount = 1000
  static let dimension = 384

  static let modelFiles = ModelFiles(
    directory: ModelFiles.defaultDirectory(environment: ProcessInfo.processInfo.environment))

  /// A condition for tests of the real model; the comment tells what to do.
  static var needsModel: ConditionTrait {
    .enabled("The embedding model is not in the cache: run `make setup`.") { modelFiles.isPresent }
  }

  static func data(_ name: String) throws -> [UInt8] {
    let url = try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
    return try [UInt8](Data(contentsOf: url))
  }

  /// The sample's lines: cut at line feeds only, since other line separators are part of the texts.
  static func texts() throws -> [String] {
    try data("sample.txt").split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The reference's ids of each line, no special tokens.
  static func ids() throws -> [[Int32]] {
    let numbers = try data("sample.ids").withUnsafeBytes { bytes in
      (0..<bytes.count / 2).map {
        Int32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
      }
    }
    var lines: [[Int32]] = []
    var position = 0
    while position < numbers.count {
      let end = position + 1 + Int(numbers[position])
      lines.append(Array(numbers[position + 1..<end]))
      position = end
    }
    return lines
  }

  /// The reference's unit vectors of the first lines, as binary16.
  static func halfVectors() throws -> [UInt16] {
    try data("sample.vectors").withUnsafeBytes { bytes in
      (0..<bytes.count / 2).map {
        UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
      }
    }
  }

  /// The same as numbers, at unit length.
  static func vectors() throws -> [[Float]] {
    let halves = try halfVectors()
    return stride(from: 0, to: halves.count, by: dimension).map { start in
      let vector = halves[start..<start + dimension].map { half in
        // A normal binary16 number or zero; components of unit vectors are never larger.
        let exponent = Int(half >> 10 & 31)
        let fraction = Float(half & 0x3ff)
        let size =
          exponent == 0
          ? fraction * 0x1p-24 : (1024 + fraction) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
        return half & 0x8000 == 0 ? size : -size
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return vector.map { $0 / norm }
    }
  }
}
