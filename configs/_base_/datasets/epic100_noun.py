# EPIC-KITCHENS-100 nouns, SlowFast features at 30 fps: 32 frames every 16
_base_ = ['./epic100_verb.py']

ann_file = 'annotations/epic100_noun.json'
features = dict(ann_file=ann_file, task='noun')

train_dataloader = dict(dataset=features)
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader

val_evaluator = dict(ann_file='data/epic100/' + ann_file)
test_evaluator = val_evaluator
