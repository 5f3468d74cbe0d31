# EPIC-KITCHENS-100 nouns as videos, see epic100_verb_video.py
_base_ = ['./epic100_verb_video.py']

ann_file = 'annotations/epic100_noun.json'
videos = dict(ann_file=ann_file, task='noun')

train_dataloader = dict(dataset=videos)
val_dataloader = dict(dataset=videos)
test_dataloader = val_dataloader

val_evaluator = dict(ann_file='data/epic100/' + ann_file)
test_evaluator = val_evaluator
