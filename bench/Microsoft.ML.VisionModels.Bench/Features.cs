using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Features of images: from files with the network of ML.NET's own image featurizer, this package's pipeline against ML.NET's; and passes
/// of ResNet-50 and ViT-S/16 against ONNX Runtime. ML.NET's pipeline takes images as they come from its resize, to the nearest pixel, and
/// uses all processors whatever it is told.
/// </summary>
internal static class Features
{
    private const int BatchSize = 32;

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        foreach (var threads in arguments.Threads)
        {
            set_num_threads(threads);
            if (arguments.Text("resnet18", "").Length > 0 && threads == Environment.ProcessorCount)
                FromFiles(arguments.Place("resnet18", ""), arguments.Place("images", "images"), threads, sideBySide);
            Forward("ResNet-50", arguments, "resnet50", path => new ResNetModel().Open(path).Build(), threads, sideBySide);
            Forward("ViT-S/16", arguments, "vit-small-patch16-224", Networks.Load, threads, sideBySide);
        }
    }

    /// <param name="folder">What get-resnet18-mlnet wrote.</param>
    /// <param name="images">A folder of JPEGs.</param>
    /// <param name="threads">For our side.</param>
    /// <param name="sideBySide">What measures.</param>
    private static void FromFiles(string folder, string images, int threads, SideBySide sideBySide)
    {
        var mlContext = new MLContext(seed: 1);
        string[] files = [.. mlContext.Data.LoadImageFolder(images).GetColumn<string>("ImagePath")];
        var rows = mlContext.Data.LoadFromEnumerable(files.Select(file => new Row { ImagePath = file }));
        using var ours = mlContext.Transforms.SslFeaturizer(new SslFeaturizerOptions
        {
            Method = SslMethod.None, Checkpoint = Path.Combine(folder, "model.safetensors"), ImageColumnName = nameof(Row.ImagePath), Preprocessing = Preprocessing(folder), ScoringBatchSize = BatchSize, Device = "cpu",
        }).Fit(rows);
        var peer = mlContext.Transforms.LoadImages("Image", string.Empty, nameof(Row.ImagePath))
            .Append(mlContext.Transforms.ResizeImages("Image", 224, 224, resizing: ImageResizingEstimator.ResizingKind.Fill))
            .Append(mlContext.Transforms.ExtractPixels("Pixels", "Image"))
            .Append(mlContext.Transforms.DnnFeaturizeImage("Embedding", input => input.ModelSelector.ResNet18(mlContext, input.OutputColumn, input.InputColumn), "Pixels"))
            .Fit(rows);
        Console.WriteLine($"Features of an image, the same by cosine: {Likeness(Read(ours).First(), Read(peer).First()):F3}");
        sideBySide.Run($"features (ResNet-18 of ML.NET, {files.Length} images from files)",
            Contestant.Here("PretrainedFeaturizer", () => Read(ours)), Contestant.Here("ML.NET DnnFeaturizeImage", () => Read(peer)), threads, BatchSize);

        float[][] Read(ITransformer model) => [.. model.Transform(rows).GetColumn<float[]>("Embedding")];

        static double Likeness(float[] a, float[] b) => System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(a, b);
    }

    /// <summary>How the network's images are made, by its config.json.</summary>
    private static ImagePreprocessing Preprocessing(string folder)
    {
        var input = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(folder, "config.json"))).GetProperty("input");
        using var file = Checkpoint.Open(Path.Combine(folder, "mean.safetensors"));
        using var mean = file.Read(file.Tensors.Keys.Single());
        return new()
        {
            Resize = new ImageResize.ShortestEdge(input.GetProperty("shortest_edge").GetInt32()), Filter = ResizeFilter.Bicubic, CenterCrop = input.GetProperty("size").GetInt32(),
            TorchvisionCrop = true, RescaleFactor = 1, ChannelOrder = ChannelOrder.Bgr, MeanImage = new((int)mean.shape[1], (int)mean.shape[2], mean.data<float>().ToArray()),
        };
    }

    private static void Forward(string name, BenchArguments arguments, string prepared, Func<string, nn.Module<Tensor, Tensor>> open, int threads, SideBySide sideBySide)
    {
        using var peer = new OnnxPeer(arguments.Place($"{prepared}-onnx", $"{prepared}.onnx"), threads);
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            using var network = open(arguments.Place(prepared, $"{prepared}.safetensors"));
            network.eval();
            network.to(type);
            foreach (var batch in arguments.Batches("1,8"))
            {
                using var scope = NewDisposeScope();
                using var generator = new Generator(2);
                long[] shape = [batch, 3, 224, 224];
                var pixels = randn(shape, generator: generator).data<float>().ToArray();
                OnnxPeer.CheckAgreement(Ours(), peer.Run(pixels, shape), type == ScalarType.Float32 ? 1e-4 : 0.05);
                sideBySide.Run($"features ({name})", Contestant.Here(type == ScalarType.Float32 ? "float32" : "bfloat16", () => Ours()), Contestant.Here(OnnxPeer.Name, () => peer.Run(pixels, shape)), threads, batch);

                float[] Ours()
                {
                    using var each = NewDisposeScope();
                    using var inference = inference_mode();
                    return network.forward(tensor(pixels, shape).to(type)).to(ScalarType.Float32).data<float>().ToArray();
                }
            }
        }
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = string.Empty;
    }
}
