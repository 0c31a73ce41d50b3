using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Tests;

public class ClassifierAnnotationsTests
{
    private static readonly DataViewSchema Empty = Schema();
    private static readonly LabelSet Numbers = new(DataKind.Int32, ["7", "-2", "30"]);

    private static DataViewSchema Schema(DataViewSchema.Annotations? annotations = null)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Column", NumberDataViewType.Single, annotations);
        return builder.ToSchema();
    }

    private static T Value<T>(DataViewSchema.Annotations annotations, string kind)
    {
        T value = default!;
        annotations.GetValue(kind, ref value);
        return value;
    }

    [Fact]
    public void TheScoreNamesItsSlotsAndItsLabels()
    {
        var annotations = ClassifierColumns.OfScore(Empty, Numbers);
        Assert.Equal(["7", "-2", "30"], Value<VBuffer<ReadOnlyMemory<char>>>(annotations, "SlotNames").DenseValues().Select(name => name.ToString()));
        Assert.Equal([7, -2, 30], Value<VBuffer<int>>(annotations, "TrainingLabelValues").DenseValues());
        Assert.Equal("MulticlassClassification", Value<ReadOnlyMemory<char>>(annotations, "ScoreColumnKind").ToString());
        Assert.Equal("Score", Value<ReadOnlyMemory<char>>(annotations, "ScoreValueKind").ToString());
    }

    [Fact]
    public void ThePredictedLabelHasTheLabelsAsKeyValues()
    {
        var annotations = ClassifierColumns.OfPredictedLabel(Empty, Numbers);
        Assert.Equal([7, -2, 30], Value<VBuffer<int>>(annotations, "KeyValues").DenseValues());
        Assert.Equal("PredictedLabel", Value<ReadOnlyMemory<char>>(annotations, "ScoreValueKind").ToString());
    }

    [Fact]
    public void EveryScorerOfAPipelineHasASetOfItsOwn()
    {
        var first = ClassifierColumns.OfScore(Empty, Numbers);
        var second = ClassifierColumns.OfScore(Schema(first), Numbers);
        Assert.Equal((1u, 2u), (Value<uint>(first, "ScoreColumnSetId"), Value<uint>(second, "ScoreColumnSetId")));
    }

    [Fact]
    public void WritingIntoWhatAGetterGaveDoesNotChangeTheLabels()
    {
        var annotations = ClassifierColumns.OfPredictedLabel(Empty, Numbers);
        var taken = Value<VBuffer<int>>(annotations, "KeyValues");
        VBufferEditor.Create(ref taken, 3).Values.Clear(); // as the next getter does that is handed this buffer
        Assert.Equal([7, -2, 30], Value<VBuffer<int>>(annotations, "KeyValues").DenseValues());
    }
}
