import Testing

/// The same weights give the prediction that diffusers gives, for every option of its `UNet2DModel`.
@Suite struct UNetParityTests {
    @Test func theFixturesAreThere() {
        #expect(UNetFixture.names.count == 50)
    }

    @Test(arguments: UNetFixture.names)
    func predictionIsThatOfDiffusers(name: String) throws {
        let fixture = UNetFixture(name: name)
        let model = try fixture.model()
        let call = try fixture.call()
        try model.check(sampleShape: call.sample.shape, timesteps: call.timesteps, classLabels: call.labels)
        let got = model.predict(call.sample, call.timesteps, call.labels).array.map(Double.init)
        let expected = call.prediction.array.map(Double.init)
        try #require(got.count == expected.count)
        let mean = expected.reduce(0, +) / Double(expected.count)
        let deviation = (expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(expected.count)).squareRoot()
        let worst = zip(got, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        // diffusers' own float32 is within 4e-6 of the float64 prediction
        #expect(worst <= 1e-4 * deviation, "\(name): off by \(worst) at a standard deviation of \(deviation)")
    }
}
