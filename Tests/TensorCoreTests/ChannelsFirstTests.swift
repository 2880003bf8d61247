import TensorCore
import Testing

@Suite struct ChannelsFirstTests {
    @Test func channelsMoveBehindTheirPixelsAndBack() {
        // Two images of 2 rows, 3 columns and 4 channels, each value telling where it is from.
        let (images, channels, height, width) = (2, 4, 2, 3)
        var values: [Float] = []
        for n in 0..<images {
            for c in 0..<channels {
                for h in 0..<height { for w in 0..<width { values.append(Float(1000 * n + 100 * h + 10 * w + c)) } }
            }
        }
        let tensor = Tensor(channelsFirst: values, shape: [images, channels, height, width])
        #expect(tensor.shape == [images, height, width, channels])
        for (index, value) in tensor.array.enumerated() {
            let (pixel, c) = (index / channels, index % channels)
            let (n, h, w) = (pixel / (height * width), pixel / width % height, pixel % width)
            #expect(value == Float(1000 * n + 100 * h + 10 * w + c))
        }
        let back = tensor.channelsFirst
        #expect(back.shape == [images, channels, height, width])
        #expect(back.values == values)
    }
}
