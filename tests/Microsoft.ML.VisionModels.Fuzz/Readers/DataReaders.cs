using Microsoft.Data.Sqlite;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels.Fuzz.Readers;

internal sealed class IndexReader : Reader
{
    public override string Name => "embedding index";

    public override IReadOnlyList<Type> Documented => [typeof(CheckpointException)];

    public override void Prepare(string folder)
    {
        var index = new EmbeddingIndex(8);
        for (var i = 0; i < 20; i++)
            index.Add($"images/{i}.jpg", [.. Enumerable.Range(0, 8).Select(j => MathF.Sin(8 * i + j))]);
        index.Save(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "twenty")).FullName, "index.safetensors"));
    }

    public override void Read(string folder) => EmbeddingIndex.Load(FileOf(folder)).Search(new float[] { 1, 2, 3, 4, 5, 6, 7, 8 });

    // The search is given as many numbers as the sound file has.
    public override bool Allows(Exception exception) => base.Allows(exception) || exception is ArgumentException { ParamName: "query" };
}

internal sealed class AnnotationsReader : Reader
{
    public override string Name => "annotations, masks";

    public override IReadOnlyList<Type> Documented => [typeof(InvalidDataException), typeof(ArgumentException)];

    public override void Prepare(string folder)
    {
        var mask = RunLengthMask.FromCounts(6, 8, [5, 7, 20, 4, 12]);
        var store = new AnnotationStore(Path.Combine(folder, "store"));
        store.Write(new("a/b.jpg", 6, 8, [new(mask, 1) { Properties = new() { ["predicted_iou"] = 0.5 } }, new(mask)]));
    }

    public override void Read(string folder)
    {
        foreach (var image in new AnnotationStore(folder).ReadAll())
        {
            new CocoDataset(["a", "b"]).Save(Path.Combine(Path.GetTempPath(), $"fuzz-{Environment.ProcessId}.json"), [image]);
            new YoloDataset(["a", "b"]).ToLabels(image);
        }
    }
}

internal sealed class SegmentationReader : Reader
{
    public override string Name => "COCO segmentation";

    public override IReadOnlyList<Type> Documented => [typeof(FormatException)];

    public override void Prepare(string folder)
    {
        var mask = RunLengthMask.FromCounts(6, 8, [5, 7, 20, 4, 12]);
        foreach (var compressed in new[] { true, false })
        {
            var input = Directory.CreateDirectory(Path.Combine(folder, $"{compressed}")).FullName;
            File.WriteAllText(Path.Combine(input, "mask.json"), mask.ToCocoJson(compressed));
        }
    }

    public override void Read(string folder) => _ = RunLengthMask.FromCocoJson(File.ReadAllText(FileOf(folder))).Box;
}

internal sealed class StudyReader : Reader
{
    public override string Name => "sweep study";

    public override IReadOnlyList<Type> Documented => [typeof(InvalidDataException), typeof(InvalidOperationException)];

    public override void Prepare(string folder)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "study")).FullName, "study.db");
        var space = new Space([new("only", [new NumberDimension("x", 0.001, 1, 0.25, IsLogarithmic: true), new NumberDimension("n", 1, 9, 3, IsInteger: true), new ChoiceDimension("c", ["a", 2, true], "a")])]);
        using (var store = StudyStore.Open(path, "sweep", space, "Score", higherIsBetter: true))
        {
            for (var i = 0; i < 6; i++)
            {
                var trial = store.Claim("me", 6, _ => new("only", new Dictionary<string, object> { ["x"] = 0.1 * (i + 1), ["n"] = i + 1, ["c"] = i % 2 == 0 ? "a" : true })).Trial!;
                store.Report(trial, new(1, 0.5, 2.5));
                store.Report(trial, new(2, 0.1 * i, 5));
                if (i < 5)
                    store.Finish(trial, i == 4 ? Microsoft.ML.VisionModels.SweepTrialState.Failed : Microsoft.ML.VisionModels.SweepTrialState.Complete, i == 4 ? null : 0.1 * i, i == 4 ? "no" : null);
            }
        }
        SqliteConnection.ClearAllPools();
    }

    public override void Read(string folder)
    {
        var study = SweepStudy.Read(Path.Combine(folder, "study.db"));
        var page = Path.Combine(Path.GetTempPath(), $"fuzz-{Environment.ProcessId}");
        study.WriteReport(page + ".html");
        study.WriteCsv(page + ".csv");
    }
}
