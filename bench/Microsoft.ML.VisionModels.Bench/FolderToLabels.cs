using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.Transforms.Onnx;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// A folder of JPEGs to labels with ViT-Tiny: this package's pipeline against ML.NET's LoadImages, ResizeImages, ExtractPixels and
/// ApplyOnnxModel. ML.NET resizes to the nearest pixel, so that a few labels differ; how many do not is printed. With several
/// threads its ONNX Runtime spins while it waits, which cannot be turned off from there and costs processor time.
/// </summary>
internal static class FolderToLabels
{
    private const int BatchSize = 32;

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        var images = arguments.Place("images", "images");
        var checkpoint = arguments.Place("checkpoint", "vit-tiny-patch16-224.safetensors");
        var onnx = arguments.Place("onnx", "vit-tiny-patch16-224.onnx");
        string[] files = [.. new MLContext().Data.LoadImageFolder(images).GetColumn<string>("ImagePath")];
        foreach (var threads in arguments.Threads)
        {
            set_num_threads(threads);
            var (ours, peer) = (Ours(images, checkpoint), Peer(files, onnx, threads));
            var same = ours().Order().Zip(peer().Order()).Count(pair => pair.First == pair.Second);
            Console.WriteLine($"{same} of {files.Length} images have the same label.");
            sideBySide.Run($"folder-to-labels ({files.Length} images)",
                Contestant.Here("LoadImageFolder + ViTClassifier", () => ours()),
                Contestant.Here("ML.NET ApplyOnnxModel", () => peer()), threads, BatchSize);
        }
    }

    /// <summary>File name and class of every image.</summary>
    private static Func<IEnumerable<(string File, int Class)>> Ours(string folder, string checkpoint)
    {
        var mlContext = new MLContext(seed: 1);
        var images = mlContext.Data.LoadImageFolder(folder);
        var model = mlContext.Transforms.ViTClassifier(new ViTClassifierOptions
        {
            Checkpoint = checkpoint,
            TrainedParts = TrainedParts.None,
            Preset = ViTPreset.Tiny16,
            Labels = [.. Enumerable.Range(0, 1000).Select(i => $"{i}")],
            ScoringBatchSize = BatchSize,
            Device = "cpu",
        }).Fit(images);
        return () => Read(model.Transform(mlContext.Data.LoadImageFolder(folder)), "Score");
    }

    private static Func<IEnumerable<(string File, int Class)>> Peer(string[] files, string onnx, int threads)
    {
        var mlContext = new MLContext(seed: 1);
        var rows = mlContext.Data.LoadFromEnumerable(files.Select(file => new Row { ImagePath = file }));
        var model = mlContext.Transforms.LoadImages("Image", string.Empty, nameof(Row.ImagePath))
            .Append(mlContext.Transforms.ResizeImages("Image", 224, 224, resizing: ImageResizingEstimator.ResizingKind.Fill))
            .Append(mlContext.Transforms.ExtractPixels("image", "Image", offsetImage: 127.5f, scaleImage: 1 / 127.5f))
            .Append(mlContext.Transforms.ApplyOnnxModel(new OnnxOptions
            {
                ModelFile = onnx,
                InputColumns = ["image"],
                OutputColumns = ["logits"],
                ShapeDictionary = new Dictionary<string, int[]> { ["image"] = [1, 3, 224, 224], ["logits"] = [1, 1000] },
                IntraOpNumThreads = threads,
            }))
            .Fit(rows);
        return () => Read(model.Transform(rows), "logits");
    }

    private static IEnumerable<(string File, int Class)> Read(IDataView data, string scores)
    {
        var columns = (Path: data.Schema["ImagePath"], Scores: data.Schema[scores]);
        using var cursor = data.GetRowCursor([columns.Path, columns.Scores]);
        var path = cursor.GetGetter<ReadOnlyMemory<char>>(columns.Path);
        var score = cursor.GetGetter<VBuffer<float>>(columns.Scores);
        var (pathValue, scoreValue) = (default(ReadOnlyMemory<char>), default(VBuffer<float>));
        var rows = new List<(string, int)>();
        while (cursor.MoveNext())
        {
            path(ref pathValue);
            score(ref scoreValue);
            var values = scoreValue.DenseValues().ToArray();
            rows.Add((Path.GetFileName(pathValue.ToString()), Array.IndexOf(values, values.Max())));
        }
        return rows;
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = string.Empty;
    }
}
