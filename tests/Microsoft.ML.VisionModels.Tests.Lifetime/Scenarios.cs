using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.AI;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Lifetime;

/// <summary>Something that is disposed of while it is asked.</summary>
/// <param name="Make">Makes one.</param>
/// <param name="Calls">What it is asked, each giving text that is the same every time.</param>
internal sealed record Scenario(Func<IDisposable> Make, Func<IDisposable, string>[] Calls);

/// <summary>A model of each kind, as model files have it, and what else holds a network.</summary>
internal sealed class Scenarios : IDisposable
{
    private static readonly string s_models = Path.Combine(AppContext.BaseDirectory, "Models");

    private readonly MLContext _context = new(seed: 1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lifetime-");
    private readonly MLImage _image = ToyImages.Image(0, seed: 7);
    private readonly byte[] _encoded;
    private readonly IDataView _rows;
    private readonly Lazy<string> _clip;
    private int _saved;

    public Scenarios()
    {
        _rows = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 6).Select(i => new Row { Image = ToyImages.Image(i % 3, i), Text = $"a {ToyImages.Names[i % 3]} square, number {i}" }).ToList());
        _image.Save(Path.Combine(_folder.FullName, "image.png"));
        _encoded = File.ReadAllBytes(Path.Combine(_folder.FullName, "image.png"));
        _clip = new(() =>
        {
            using var trained = (ClipTransformer)Load("clip");
            trained.SaveCheckpoint(Path.Combine(_folder.FullName, "clip"));
            return Path.Combine(_folder.FullName, "clip");
        });
    }

    /// <summary>All scenarios: those of <see cref="Others"/>, and the kinds of which there is a model file.</summary>
    public static IReadOnlyList<string> Names => [.. Directory.EnumerateFiles(s_models, "*.zip").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal), .. Others];

    public static IReadOnlyList<string> Others => ["engines", "chain", "index", "sweep", "sam-session", "image-generator", "text-generator"];

    public Scenario Find(string name) => name switch
    {
        "engines" => new(() => Load("vit-classifier"), [Engine, Engine]),
        "chain" => new(Chain, [Scores, Save]),
        "index" => new(() => Load("clip-image-embedding"), [Index, Scores]),
        "sweep" => new(Sweep, [result => Scores(((SweepResult)result).Model!), result => Save(((SweepResult)result).Model!)]),
        "sam-session" => new(() => new SamSession(Path.Combine(AppContext.BaseDirectory, "Sam"), "cpu", cacheMegabytes: 0), [Masks, Masks]),
        "image-generator" => new(() => new ClipImageEmbeddingGenerator(_clip.Value, "cpu"),
            [generator => Vector(((ClipImageEmbeddingGenerator)generator).GenerateAsync([new DataContent(_encoded, "image/png")]))]),
        "text-generator" => new(() => new ClipTextEmbeddingGenerator(_clip.Value, device: "cpu"),
            [generator => Vector(((ClipTextEmbeddingGenerator)generator).GenerateAsync(["a red square", "a blue one"]))]),
        _ => new(() => Load(name), [.. CallsOf(name)]),
    };

    public void Dispose() => _folder.Delete(recursive: true);

    private IEnumerable<Func<IDisposable, string>> CallsOf(string kind)
    {
        using var model = Load(kind);
        yield return Scores;
        yield return Save;
        if (model is SamEverythingTransformer)
            yield return sam => string.Join(' ', ((SamEverythingTransformer)sam).FindSegments(_image).Select(segment => segment.Mask.ToCocoJson()));
        if (model is ImageClassifierTransformer)
            yield return classifier => Publish(((ImageClassifierTransformer)classifier).SaveCheckpoint);
        if (model is ClipTransformer)
            yield return clip => Publish(((ClipTransformer)clip).SaveCheckpoint);
    }

    private IDisposable Load(string kind) => (IDisposable)_context.Model.Load(Path.Combine(s_models, $"{kind}.zip"), out _);

    private IDisposable Chain() => new TransformerChain<ITransformer>(
        _context.Transforms.CopyColumns("Copy", nameof(Row.Text)).Fit(_rows), (ITransformer)Load("clip-image-embedding"));

    private string Scores(object model) => string.Join('\n', ViewValues.Added(((ITransformer)model).Transform(_rows), _rows.Schema));

    private string Save(object model)
    {
        using var stream = new MemoryStream();
        _context.Model.Save((ITransformer)model, null, stream);
        return stream.Length.ToString(CultureInfo.InvariantCulture);
    }

    private string Publish(Action<string> save)
    {
        var folder = Path.Combine(_folder.FullName, $"{Interlocked.Increment(ref _saved)}");
        save(folder);
        var hash = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "model.safetensors"))));
        Directory.Delete(folder, recursive: true);
        return hash;
    }

    /// <summary>As many write it: an engine for each prediction, which disposes of its model with itself.</summary>
    private string Engine(object model)
    {
        using var engine = _context.Model.CreatePredictionEngine<Row, Prediction>((ITransformer)model);
        return string.Join(' ', engine.Predict(new() { Image = _image }).Score);
    }

    private string Index(object model)
    {
        var index = EmbeddingIndex.FromRows(((ITransformer)model).Transform(_rows), out _, nameof(Row.Text));
        return string.Join(' ', index.SearchLike(index.Ids[0], top: 3));
    }

    private IDisposable Sweep() => _context.Vision().Sweep((ViTClassifierOptions options) =>
    {
        (options.ImageSize, options.PatchSize, options.Epochs, options.BatchSize, options.Device) = (ToyImages.Side, ToyImages.Side / 2, 1, 8, "cpu");
        options.LabelColumnName = "Label";
        return _context.Transforms.ViTClassifier(options);
    }, new() { Trials = 1 }).Run(ToyImages.View(_context, 12), ToyImages.View(_context, 6, seed: 1));

    private string Masks(object session)
    {
        var sam = (SamSession)session;
        var mask = sam.Predict(sam.SetImage(_image), SamPrompt.AtPoint(8, 8));
        return $"{mask.Score} {mask.Mask.ToCocoJson()}";
    }

    private static string Vector(Task<GeneratedEmbeddings<Embedding<float>>> embeddings) =>
        string.Join(' ', embeddings.GetAwaiter().GetResult().SelectMany(embedding => embedding.Vector.ToArray()));

    private sealed class Row
    {
        [ImageType(ToyImages.Side, ToyImages.Side)]
        public MLImage Image { get; set; } = null!;
        public string Label { get; set; } = "";
        public string Text { get; set; } = "";
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
