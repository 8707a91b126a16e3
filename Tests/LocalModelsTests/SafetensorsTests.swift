import Core
import LocalModels
import Testing

struct SafetensorsTests {
  private func file(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array(header.utf8)
      + Array(repeating: 0, count: data)
  }

  private func read(_ bytes: [UInt8]) throws -> Safetensors {
    try bytes.withUnsafeBytes { try Safetensors($0) }
  }

  @Test func findsEachTensorsBytes() throws {
    let header =
      #"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},"#
      + #""i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#
    let tensors = try read(file(header, data: 28))
    let start = 8 + header.utf8.count
    #expect(tensors.tensors == ["w": .init(shape: [2, 3], bytes: start + 4..<start + 28)])
    #expect(try tensors.tensor("w", [2, 3]).bytes.count == 24)
    #expect(throws: LocalModelsError.self) { try tensors.tensor("w", [3, 2]) }
    #expect(throws: LocalModelsError.self) { try tensors.tensor("i", [1]) }
  }

  @Test(arguments: [
    #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}"#,
    #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
    #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#,
    #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[1000000,1000008]}}"#,
    #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775807]}}"#,
    #"{"w":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}"#,
    #"{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
    #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
    #"{"w":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#,
    #"{"w":{"shape":[2]}}"#, #"{"w":"#, #"[]"#, "", String(repeating: "[", count: 100_000),
  ])
  func refusesAHeader_whenATensorLiesOutsideTheFileOrItIsNoHeader(header: String) {
    let error = #expect(throws: LocalModelsError.self) { _ = try read(file(header, data: 8)) }
    #expect(error?.code == "model.unreadable")
  }

  @Test(arguments: [9, 1 << 40, UInt64.max])
  func refusesALength_whenItExceedsTheFile(length: UInt64) {
    #expect(throws: LocalModelsError.self) { _ = try read(file("{}", data: 0, length: length)) }
  }

  @Test func refusesAFile_whenItIsShorterThanALength() {
    #expect(throws: LocalModelsError.self) { _ = try read([1, 2, 3]) }
  }

  @Test func refusesAConfiguration_whenItIsOfAnotherArchitecture() {
    let json = """
      {"model_type": "roberta", "num_hidden_layers": 6, "hidden_size": 384, "num_attention_heads": 12,
       "intermediate_size": 1536, "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2,
       "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
      """
    func code(_ json: String) -> String? {
      let bytes = Array(json.utf8)
      do {
        _ = try bytes.withUnsafeBytes { try BERTConfiguration.read($0) }
        return nil
      } catch {
        return (error as? LocalModelsError)?.code
      }
    }
    #expect(code(json) == "model.unsupported")
    #expect(code(json.replacing("roberta", with: "bert")) == nil)
    #expect(code(json.replacing("roberta", with: "bert").replacing("384", with: "-1")) == "model.unsupported")
    #expect(code("{}") == "model.unreadable")
  }
}
