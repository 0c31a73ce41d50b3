using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>How well near-duplicates are found that were planted in a folder: by embeddings alone, and with the images themselves.</summary>
internal static class NearDuplicates
{
    private const string Header = "date,images,copies,network,least cosine,least likeness,precision,recall,recall of smaller,of compressed,of cut,command";
    private static readonly double[] s_cosines = [0.7, 0.8, 0.85, 0.9, 0.95, 0.98];
    private static readonly (double Cosine, double Likeness)[] s_both = [(0.6, 0.8), (0.7, 0.7), (0.7, 0.75), (0.7, 0.8), (0.7, 0.85), (0.7, 0.9), (0.8, 0.8), (0.9, 0.8)];

    private sealed class Image
    {
        public string ImagePath { get; set; } = "";
        public float[] Embedding { get; set; } = [];
    }

    public static void Run(BenchArguments arguments, string command)
    {
        var planted = PlantedFolder.Plant(
            arguments.Text("source", "").Split(','), arguments.Text("target", Path.Combine(Repository.Data, "planted")), arguments.Number("images", 5000));
        var copies = planted.Sources.Count(file => file.Key != file.Value);
        Console.WriteLine($"{planted.Sources.Count} images in {planted.Folder}, {copies} of them copies");

        var context = new MLContext(seed: 1);
        var network = arguments.Text("network", "clip");
        var images = Embed(context, network, arguments.Text("checkpoint", ""), planted.Sources.Keys);
        var rows = new List<string>();
        foreach (var cosine in s_cosines)
            Measure(new() { MinCosine = cosine });
        foreach (var (cosine, likeness) in s_both)
            Measure(new() { MinCosine = cosine, MinLikeness = likeness, ImageColumnName = "ImagePath" });
        var file = Path.Combine(Repository.Bench, "duplicates.csv");
        File.WriteAllLines(file, [Header, .. (File.Exists(file) ? File.ReadAllLines(file).Skip(1) : []).Where(row => !row.EndsWith($",{command}", StringComparison.Ordinal)), .. rows]);

        void Measure(DuplicateOptions options)
        {
            var byImages = options.ImageColumnName is not null;
            var found = context.Vision().FindDuplicates(images, options);
            var (precision, recall) = planted.Judge(found);
            var row = string.Create(CultureInfo.InvariantCulture,
                $"{DateTime.UtcNow:yyyy-MM-dd},{planted.Sources.Count},{copies},{network},{options.MinCosine},{(byImages ? options.MinLikeness.ToString(CultureInfo.InvariantCulture) : "")},{precision:F4},{recall:F4},{planted.Recall(found, "smaller"):F4},{planted.Recall(found, "compressed"):F4},{planted.Recall(found, "cut"):F4},{command}");
            rows.Add(row);
            Console.WriteLine(row[..row.LastIndexOf(',')]);
            if (options is { ImageColumnName: not null, MinCosine: 0.7, MinLikeness: 0.8 })
                Mistakes(planted, found);
        }
    }

    /// <summary>Pairs that are no copies of one another, for a look at what they are: the sources may have near-duplicates of their own.</summary>
    private static void Mistakes(PlantedFolder planted, Duplicates found)
    {
        var wrong = found.Groups.SelectMany(group => group.Pairs).Where(pair => planted.Sources[pair.First] != planted.Sources[pair.Second]).ToArray();
        Console.WriteLine($"{wrong.Length} pairs were not planted, for instance");
        foreach (var pair in wrong.OrderBy(pair => pair.Likeness).Take(10))
            Console.WriteLine($"  {Path.GetFileName(pair.First)} {Path.GetFileName(pair.Second)} cosine {pair.Cosine:F3} likeness {pair.Likeness:F3}");
    }

    private static IDataView Embed(MLContext context, string network, string checkpoint, IEnumerable<string> paths)
    {
        var view = context.Data.LoadFromEnumerable(paths.Order(StringComparer.Ordinal).Select(path => new Image { ImagePath = path, Embedding = [0] }));
        view = context.Transforms.SelectColumns("ImagePath").Fit(view).Transform(view);
        IEstimator<ITransformer> estimator = network switch
        {
            "vit" => context.Transforms.ViTClassifier(new ViTClassifierOptions
            {
                Checkpoint = checkpoint, ImageColumnName = "ImagePath", TrainedParts = TrainedParts.None, EmbeddingColumnName = "Embedding", SkipInvalidImages = true,
            }),
            "swin" => context.Transforms.SwinFeatures(new SwinFeaturesOptions { Checkpoint = checkpoint, ImageColumnName = "ImagePath", SkipInvalidImages = true }),
            _ => context.Transforms.ClipImageEmbedding(new ClipImageEmbeddingOptions { Checkpoint = checkpoint, ImageColumnName = "ImagePath", SkipInvalidImages = true }),
        };
        var images = context.Data.CreateEnumerable<Image>(estimator.Fit(view).Transform(view), reuseRowObject: false).ToList();
        var schema = SchemaDefinition.Create(typeof(Image));
        schema[nameof(Image.Embedding)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, images[0].Embedding.Length);
        return context.Data.LoadFromEnumerable(images, schema);
    }
}
