import Foundation
import Testing

/// `bench` on a model so small that a measurement takes milliseconds.
@Suite struct BenchTests {
    private let model = Tool.fixture("unet/plain")

    private func bench(_ arguments: String...) throws -> [String: Any] {
        let result = try Tool.run(["bench", "--quiet", "--json", "--runs", "3"] + arguments)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    @Test func everyWorkAtEveryBatch() throws {
        let json = try bench("--model", model, "--batch", "1", "3", "--steps", "2", "--threads", "2")
        let machine = try #require(json["machine"] as? [String: Any])
        #expect(machine["threads"] as? Int == 2 && machine["instruction_set"] is String)
        #expect(try #require(json["multiply_add_peak_gflops"] as? Double) > 0)
        let others = json["other_processes_cores"]
        #expect(others is NSNull || (others as? Double).map { $0 >= 0 } == true)
        let models = try #require(json["models"] as? [[String: Any]])
        #expect(models.count == 1 && models[0]["parameters"] as? Int == 7247)

        let measurements = try #require(json["measurements"] as? [[String: Any]])
        let jobs = measurements.map { "\($0["work"] as? String ?? "") \($0["batch"] as? Int ?? 0)" }
        #expect(
            jobs == [
                "forward 1", "forward 3", "sampling 1", "sampling 3", "training 1", "training 3", "hvp 1", "hvp 3",
            ])
        for measurement in measurements {
            #expect(measurement["ratio"] == nil)
            #expect(measurement["predictions"] as? Int == (measurement["work"] as? String == "sampling" ? 2 : 1))
            let side = try #require(measurement["model"] as? [String: Any])
            let time = try #require(side["milliseconds"] as? [String: Any])
            #expect(time["count"] as? Int == 3)
            let order = ["min", "q1", "median", "q3", "max"].compactMap { time[$0] as? Double }
            #expect(order.count == 5 && order[0] > 0 && order == order.sorted())
            let batch = try #require(measurement["batch"] as? Int)
            let rate = try #require(side["images_per_second"] as? Double)
            #expect(abs(rate * order[2] / 1000 / Double(batch) - 1) < 1e-9)
            #expect(try #require(side["picoseconds_per_mac"] as? Double) > 0)
        }
        func bytes(_ index: Int) throws -> Int {
            try #require((measurements[index]["model"] as? [String: Any])?["peak_bytes"] as? Int)
        }
        // Weights alone; then with gradients and moments; then their tangents.
        #expect(try bytes(0) > 4 * 7247)
        #expect(try bytes(4) > 4 * 4 * 7247)
        #expect(try bytes(7) > bytes(5))
    }

    @Test func twoModelsTakeTurns() throws {
        let json = try bench("--model", model, "--pruned", Tool.fixture("unet/rgb"), "--work", "forward", "hvp")
        let measurements = try #require(json["measurements"] as? [[String: Any]])
        #expect(measurements.count == 4)
        for measurement in measurements {
            let ratio = try #require(measurement["ratio"] as? [String: Any])
            #expect(ratio["count"] as? Int == 3)
            #expect(try #require(ratio["min"] as? Double) > 0)
            #expect(measurement["model"] is [String: Any] && measurement["pruned"] is [String: Any])
        }
        #expect((json["models"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["model", "pruned"])
    }

    @Test func layersAddUp() throws {
        let json = try bench("--model", model, "--work", "forward", "--batch", "2", "--layers")
        let table = try #require((json["layers"] as? [[String: Any]])?.first)
        let layers = try #require(table["layers"] as? [[String: Any]])
        let names = layers.compactMap { $0["name"] as? String }
        #expect(names.count == layers.count && Set(names).count > 20)
        #expect(names.first == "time_proj" && names.last == "conv_out")
        func number(_ object: Any?, _ key: String) throws -> Double {
            try #require((object as? [String: Any])?[key] as? Double)
        }
        let total = try number(table["total"], "ms")
        let sum = try layers.reduce(0) { try $0 + number($1, "ms") }
        #expect(sum > 0 && sum <= total)
        #expect(abs(sum + (try number(table["between_layers"], "ms")) - total) < 1e-9)
        let macs = try layers.reduce(0) { try $0 + number($1, "macs") }
        let model = try #require((json["models"] as? [[String: Any]])?.first)
        #expect(macs == 2 * (try number(model, "macs")))
        let kinds = try #require(table["kinds"] as? [[String: Any]])
        #expect(abs(try kinds.reduce(0) { try $0 + number($1, "ms") } - sum) < 1e-9)
        #expect(kinds.compactMap { $0["count"] as? Int }.reduce(0, +) == layers.count)
        let convolution = try #require(layers.first { $0["name"] as? String == "conv_in" })
        #expect(convolution["kind"] as? String == "conv3x3")
        #expect(convolution["input"] as? [Int] == [2, 8, 8, 1])
        #expect(try number(convolution, "gflops") > 0 && number(convolution, "peak_fraction") > 0)
    }

    @Test func trainingStepsAreDividedToo() throws {
        let json = try bench("--model", model, "--work", "training", "--batch", "2", "3", "--layers")
        let tables = try #require(json["layers"] as? [[String: Any]])
        #expect(tables.compactMap { $0["work"] as? String } == ["forward", "forward", "training", "training"])
        #expect(tables.compactMap { $0["batch"] as? Int } == [2, 3, 2, 3])
        for table in tables {
            let layers = try #require(table["layers"] as? [[String: Any]])
            let backward = layers.compactMap { $0["backward_ms"] as? Double }
            #expect(backward.count == layers.count)
            let isTraining = table["work"] as? String == "training"
            // Time embeddings computed from the timestep alone have no backward pass.
            #expect(
                zip(layers, backward).allSatisfy { ($1 > 0) == (isTraining && $0["kind"] as? String != "embedding") })
            let total = try #require(table["total"] as? [String: Any])
            let shares = layers.compactMap { $0["share"] as? Double }.reduce(0, +)
            let between = try #require((table["between_layers"] as? [String: Any])?["share"] as? Double)
            #expect(abs(shares + between - 1) < 1e-9 && shares < 1)
            #expect(abs((total["backward_ms"] as? Double ?? -1) - backward.reduce(0, +)) < 1e-9)
        }
    }

    @Test func gradientCheckpointingTakesLessMemory() throws {
        func bytes(_ arguments: String...) throws -> [Int] {
            let result = try Tool.run(
                [
                    "bench", "--quiet", "--json", "--runs", "1", "--model", model, "--work", "training", "hvp",
                    "--batch", "16",
                ]
                    + arguments)
            let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let measurements = try #require(json?["measurements"] as? [[String: Any]])
            return measurements.compactMap { ($0["model"] as? [String: Any])?["peak_bytes"] as? Int }
        }
        let (kept, checkpointed) = (try bytes(), try bytes("--gradient-checkpointing"))
        #expect(kept.count == 2 && checkpointed.count == 2)
        #expect(zip(kept, checkpointed).allSatisfy { $1 < $0 * 4 / 5 })
    }

    @Test func anArchitectureAloneIsEnough() throws {
        let file = Tool.fixture("unet/plain/unet/config.json")
        let json = try bench("--architecture", file, "--work", "training", "--batch", "1", "--seed", "4")
        #expect((json["models"] as? [[String: Any]])?.first?["parameters"] as? Int == 7247)
        #expect((json["measurements"] as? [Any])?.count == 1)
    }

    @Test func peopleGetTables() throws {
        let result = try Tool.run(
            "bench", "--model", model, "--runs", "2", "--batch", "1", "--steps", "2", "--layers", "--quiet")
        #expect(result.status == 0 && result.errors.isEmpty)
        for words in [
            "training step", "Hessian–vector product", "sampling, 2 steps", "conv_in", "between layers", "group norm",
            "of peak",
        ] {
            #expect(result.output.contains(words), "\(words)")
        }
    }
}
